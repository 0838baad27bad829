"""The ready-made rules.

Each goes through a text once, however it is made: what may repeat never gives back what it took,
and no search begins in the middle of what another has failed on. What is written in place of
something is nothing that any of them looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from callboard.redaction.rules import Rule

__all__ = ["READY_MADE"]


def _is_card(text: str) -> bool:
    """Whether a number's last digit is what those before it demand (ISO/IEC 7812, Luhn)."""
    total = 0
    for place, digit in enumerate(reversed([int(each) for each in text if each.isdigit()])):
        doubled = digit * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _key(pattern: str, *hints: str) -> Rule:
    return Rule("keys", pattern, "<key>", hints, is_linear=True)


_WORD = r"[A-Za-z0-9_-]"

# One pattern a form that the issuers of keys have published.
_KEYS = (
    # OpenAI, Anthropic, OpenRouter, Langfuse, LangSmith.
    _key(rf"(?<![A-Za-z])(?:sk|pk)-{_WORD}{{16,}}+", "sk-", "pk-"),
    _key(r"(?<![A-Za-z])lsv2_(?:pt|sk)_\w{16,}+", "lsv2_"),
    # AWS: the key's id, and the key where it is said to be one.
    _key(r"(?<![A-Z])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Z0-9])", "KIA", "SIA", "BIA", "CCA"),
    _key(
        r"(?i:aws_?secret_?access_?key)[\"'\\]{0,4}+\s{0,4}+[=:]\s{0,4}+[\"'\\]{0,4}+[A-Za-z0-9/+=]{40}",
        "ecret",
        "ECRET",
    ),
    _key(r"(?<![A-Za-z])gh[pousr]_\w{30,}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _key(r"(?<![A-Za-z])github_pat_\w{20,}+", "github_pat_"),
    _key(rf"(?<![A-Za-z])glpat-{_WORD}{{16,}}+", "glpat-"),
    _key(r"(?<![A-Za-z])xox[abeoprs]-[A-Za-z0-9-]{10,}+", "xox"),
    _key(rf"(?<![A-Za-z])AIza{_WORD}{{30,}}+", "AIza"),
    _key(r"(?<![A-Za-z])(?:hf|gsk|npm)_\w{20,}+", "hf_", "gsk_", "npm_"),
    _key(r"(?<![A-Za-z])(?:tvly|xai)-[\w-]{20,}+", "tvly-", "xai-"),
    _key(r"(?<![A-Za-z])[sr]k_(?:live|test)_\w{10,}+", "k_live_", "k_test_"),
    # JSON Web Tokens (RFC 7519) and encrypted ones (RFC 7516).
    _key(rf"(?<![A-Za-z])eyJ{_WORD}{{6,}}+(?:\.{_WORD}*+){{2,4}}+", "eyJ"),
    # Headers and URLs (RFC 6750, RFC 7617, RFC 3986), and private keys (RFC 7468).
    _key(r"(?:[Bb]earer|BEARER)[\s:]{1,4}+[\w.~+/=-]{16,}+", "earer", "EARER"),
    _key(r"(?:[Bb]asic|BASIC) [A-Za-z0-9+/]{12,}+={0,2}+", "asic ", "ASIC "),
    Rule("keys", r"(?<=://)[^\s/@:]*+:[^\s/@]++(?=@)", "<key>", ("://",), is_linear=True),
    _key(
        r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----[^-]*+(?:-----END [A-Z ]{0,32}+-----)?",
        "PRIVATE KEY",
    ),
)

READY_MADE: Mapping[str, tuple[Rule, ...]] = {
    "keys": _KEYS,
    "emails": (
        Rule(
            "emails",
            r"(?<![\w.%+-])(?<![\w.%+-]')[\w.%+-]++(?:'[\w.%+-]++)*+"
            r"@[\w-]++(?:\.[\w-]++)*\.[^\W\d_]{2,}+",
            "<email>",
            ("@",),
            is_linear=True,
        ),
    ),
    "cards": (
        Rule(
            "cards",
            r"(?<![0-9])[2-6](?:[0-9]{12,18}"
            r"|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
            r"|[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})(?![0-9])",
            "<card>",
            accepts=_is_card,
            is_linear=True,
        ),
    ),
    "ips": (
        Rule(
            "ips",
            r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]*[0-9])"
            r"|(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]{2,45}+(?![\w:])",
            "<ip>",
            (".", ":"),
            accepts=_is_address,
            is_linear=True,
        ),
    ),
}
"""The rules that are known by name. There is one more, ``passwords``, which looks at the names
that values have: see `callboard.redaction.names`."""
