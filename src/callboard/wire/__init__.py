"""The LangSmith ingest protocol, both ends of it: no sockets, no threads.

The exporter encodes with it and the server decodes with it, so that the one is the test of the
other. `operations` is what is sent; `multipart` and `batch` are the two forms it is sent in,
`compression` what may be wrapped around them. The rules of the protocol are cited by the names
of its endpoints: "LangSmith protocol: multipart ingest" is ``POST /runs/multipart``.
"""
