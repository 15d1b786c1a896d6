"""The page of fields says what the tables in the code say."""

from support.fields_page import PAGE, render, shown, tables


def test_the_page_has_every_table_as_the_code_has_it():
    page = PAGE.read_text()
    # Earlier detections have the fields of the alert's own.
    assert shown(page) == tables().keys() - {"lsst.prvDiaSources"}
    assert render(page) == page, "write the tables anew: cd tests && python -m support.fields_page"
