"""Whatever runs there are: any order of what is told reads the same, and filters keep their law."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callboard.query import matches
from callboard.store.merging import FIELDS, drafts
from callboard.store.records import RunQuery
from callboard.wire.operations import PARTS, merge
from tests.contract.stores.made import ALL, at, created, ended, facts, numbers, pages, run, said
from tests.properties.test_query import FILTERS, JSON, WORDS

# One store for all examples of a test: each begins by emptying it.
SLOW = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NAMES = WORDS.filter(bool)
SECONDS = st.sampled_from([0.5, 1.0, 1.5, 2.5])
USAGE = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 20), "output_tokens": st.integers(0, 20)},
    optional={"total_cost": st.sampled_from([0.25, 0.5]), "total_tokens": st.integers(0, 50)},
)
METADATA = st.dictionaries(NAMES, JSON, max_size=3)
EXTRAS = st.builds(
    lambda metadata, more: {"metadata": metadata | more},
    METADATA,
    st.fixed_dictionaries({}, optional={"thread_id": NAMES, "usage_metadata": USAGE}),
)
OUTPUTS = st.dictionaries(NAMES, JSON, max_size=2) | st.builds(
    lambda usage, text: {"usage_metadata": usage, "text": text}, USAGE, WORDS
)
PARTS_AT_START = st.fixed_dictionaries(
    {}, optional={"inputs": st.dictionaries(NAMES, JSON, max_size=2), "extra": EXTRAS}
)
PARTS_AT_END = st.fixed_dictionaries(
    {},
    optional={
        "outputs": OUTPUTS,
        "extra": EXTRAS,
        "error": NAMES,
        "events": st.just([{"name": "new_token", "time": at(1)}]),
    },
)


@st.composite
def runs(draw):
    """What is told of a few runs in a few traces: a create, as a rule, and perhaps an update."""
    count = draw(st.integers(1, 7))
    paths = []
    operations = []
    for number in range(1, count + 1):
        above = draw(st.sampled_from([(), *paths]))
        paths.append((*above, number))
        fields = {
            "run_type": draw(st.sampled_from(["llm", "chain", "tool"])),
            "name": draw(NAMES),
            "session_name": draw(st.sampled_from(["one", "other"])),
            "tags": draw(st.lists(NAMES, max_size=2)),
        }
        if draw(st.booleans()) and draw(st.booleans()):
            # Its place is to be found out.
            fields |= {"dotted_order": None, "parent_run_id": run(above[-1]) if above else None}
        create = created(number, *above, **fields, **draw(PARTS_AT_START))
        update = ended(number, draw(SECONDS), **draw(PARTS_AT_END))
        update.head["dotted_order"] = create.head.get("dotted_order")
        operations += draw(
            st.sampled_from([[create], [create, update], [create, update], [update]])
        )
    return operations


@st.composite
def feedback(draw):
    return [
        said(
            100 + index,
            draw(NAMES),
            draw(st.integers(1, 7)),
            score=draw(st.none() | st.booleans() | st.sampled_from([0, 0.5, 1])),
            value=draw(JSON),
            comment=draw(st.none() | NAMES),
            feedback_source={"type": draw(st.sampled_from(["api", "model"]))},
        )
        for index in range(draw(st.integers(0, 2)))
    ]


def emptied(store):
    store.delete_traces([run(number) for number in range(20)])
    return store


def everything(store):
    """All that can be read, except when it came in and which ids projects were given."""
    found = {}
    for number in range(1, 8):
        record = store.read_run(run(number), ALL)
        if record is not None:
            record.received_us = 0
            record.project_id = record.project_id and True
        found[number] = record
        found[-number] = store.read_outline(run(number))
    found["list"] = numbers(store.find_runs(RunQuery()).items)
    found["totals"] = store.run_statistics(RunQuery(is_root=True))
    return found


@SLOW
@given(runs(), st.randoms(use_true_random=False))
def test_any_order_with_repetitions_in_any_batches_reads_the_same(make_two, operations, chance):
    one, other = map(emptied, make_two)
    one.write(operations)
    again = [*operations, *chance.sample(operations, chance.randrange(len(operations) + 1))]
    chance.shuffle(again)
    while again:
        size = chance.randint(1, 5)
        other.write(again[:size])
        again = again[size:]
    assert everything(other) == everything(one)


@pytest.fixture
def make_two(make_store):
    return make_store(), make_store()


@SLOW
@given(runs(), feedback(), FILTERS, FILTERS)
def test_a_filter_finds_what_the_law_says_it_means(store, operations, given_feedback, one, other):
    emptied(store).write([*operations, *given_feedback])
    listed = store.find_runs(RunQuery()).items
    # Those that are in no list, too: a trace may be asked for by its root.
    records = [each for number in range(1, 8) if (each := store.read_run(run(number), ALL))]
    orders = {}
    for trace_id in {record.trace_id for record in records}:
        placed = [each for each in store.read_outline(trace_id) if each.dotted_order is not None]
        orders |= {each.id: place for place, each in enumerate(placed, 1)}
    known = {record.id: facts(store, record, orders) for record in records}
    fitting = {each.id for each in records if matches(one, known[each.id])}
    others = [each for each in records if matches(other, known[each.id])]

    found = store.find_runs(RunQuery(filter=one)).items
    assert numbers(found) == numbers(each for each in listed if each.id in fitting)
    of_roots = {each.trace_id for each in others if each.is_root}
    found = store.find_runs(RunQuery(trace_filter=other)).items
    assert numbers(found) == numbers(each for each in listed if each.trace_id in of_roots)
    of_any = {each.trace_id for each in others}
    found = store.find_runs(RunQuery(filter=one, tree_filter=other)).items
    assert numbers(found) == numbers(
        each for each in listed if each.id in fitting and each.trace_id in of_any
    )


@SLOW
@given(runs(), st.integers(1, 4), st.booleans(), FILTERS | st.none())
def test_pages_put_together_are_the_list(store, operations, limit, newest_first, node):
    emptied(store).write(operations)
    query = {"newest_first": newest_first, "filter": node}
    assert numbers(pages(store, limit=limit, **query)) == numbers(
        store.find_runs(RunQuery(**query)).items
    )


@SLOW
@given(runs())
def test_sums_have_each_model_that_has_none_inside_it_once(store, operations):
    emptied(store).write(operations)
    records = {each.id: each for each in store.find_runs(RunQuery(fields=ALL)).items}
    models = [each for each in records.values() if each.run_type == "llm" and each.dotted_order]

    def inside(record, other):
        return other.dotted_order.startswith(f"{record.dotted_order}.")

    leaves = [each for each in models if not any(inside(each, other) for other in models)]
    for record in records.values():
        if record.dotted_order is None:
            continue
        below = [each for each in leaves if each is record or inside(record, each)]
        told_of = [each.tokens.total for each in below if each.tokens is not None]
        found = record.subtree_tokens
        assert (None if found is None else found.total) == (sum(told_of) if told_of else None)


@given(st.data())
def test_what_a_draft_keeps_is_what_merging_keeps(data):
    create = created(1, inputs={"a": 1}, outputs=data.draw(st.sampled_from([{}, {"a": 2}])))
    update = ended(1, outputs={"b": 1}, name="new", files={"f": ("text/plain", b"")})
    whole = created(1, name="whole", end_time=at(9), extra={}, files={"f": ("text/html", b"1")})
    some = data.draw(
        st.permutations(
            data.draw(st.sampled_from([[create, update], [create, whole], [whole, update]]))
        )
    )
    merged = merge(*some)
    [draft] = drafts(some)
    known = {
        name: draft.values[name] for name in FIELDS if name in draft.values and name != "project"
    }
    wanted = {**merged.head, **merged.parts}
    assert known == {name: wanted[name] for name in FIELDS if name in wanted}
    assert {name: each for name, (_, each) in draft.attachments.items()} == merged.attachments
    assert set(PARTS) >= set(merged.parts)
