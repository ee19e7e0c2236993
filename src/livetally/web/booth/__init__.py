"""The ballot page: enter the code, choose, review, cast, keep the receipt. HTML from the server; no script anywhere."""
