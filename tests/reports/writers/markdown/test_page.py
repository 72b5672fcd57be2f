"""A Markdown text as an HTML page."""

from __future__ import annotations

from reports.writers.markdown.page import markdown_page


def test_a_table_a_list_and_code_become_html() -> None:
    page = markdown_page("# A\n\n| x | y |\n|---|---|\n| 1 | `a < b` |\n\n- one\n", "A & B")
    assert "<title>A &amp; B</title>" in page
    assert "<td><code>a &lt; b</code></td>" in page
    assert "<li>one</li>" in page


def test_html_in_the_text_is_shown_and_not_obeyed() -> None:
    page = markdown_page("<script>x</script>\n\na <b>b</b> [l](javascript:alert(1))\n", "</title><script>")
    assert page.count("<script") == 0
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert 'href="javascript' not in page


def test_a_line_of_a_checklist_has_a_box_with_a_label() -> None:
    page = markdown_page('- [ ] say "stop" & go\n- [x] done\n- [y] no box\n', "t")
    assert (
        '<li><input type="checkbox" aria-label="say &quot;stop&quot; &amp; go"> say &quot;stop&quot; &amp; go</li>'
        in page
    )
    assert '<input type="checkbox" checked aria-label="done"> done' in page
    assert "<li>[y] no box</li>" in page
