import pytest

from desktop.ui.transcript.markdown import parse, to_html, visible


@pytest.mark.parametrize(
    "source", ["**重点：**她说", "含**「重点」**内容", "**注意！**请看", "他说：**“好。”**然后走了"]
)
def test_chinese_punctuation_does_not_break_emphasis(source: str) -> None:
    assert "<strong>" in to_html(source, {})
    assert "**" not in to_html(source, {})


def test_ascii_emphasis_follows_commonmark() -> None:
    assert "<strong>" not in to_html("a**“b”**c".replace("“", '"').replace("”", '"'), {})


def test_html_is_text() -> None:
    assert "&lt;script&gt;" in to_html("<script>alert(1)</script>", {})


def test_an_image_becomes_a_link_and_is_not_fetched() -> None:
    html = to_html("![a kite](https://example.com/k.png)", {})
    assert "<img" not in html
    assert '<a href="https://example.com/k.png">[a kite]</a>' in html


def test_a_link_may_be_defined_in_another_segment() -> None:
    references: dict[str, object] = {}
    to_html("[r]: https://example.com/", references)
    assert 'href="https://example.com/"' in to_html("see [r]", references)


def test_a_script_link_is_no_link() -> None:
    assert "<a" not in to_html("[x](javascript:alert(1))", {})


@pytest.mark.parametrize("sign", ["[", "![", "*a_", "$a$ "])
def test_signs_beyond_all_reason_are_shown_as_they_are(sign: str) -> None:
    assert visible(parse(sign * 700, {})).strip() == (sign * 700).strip()


def test_two_hundred_links_in_one_paragraph_are_links() -> None:
    assert to_html("[a](http://b.c) " * 200, {}).count("<a ") == 200


def test_a_formula_may_follow_signs_that_begin_none() -> None:
    tokens = parse("\\( a \\[ b $ c $x$", {})
    assert [token.type for token in tokens[1].children or ()].count("maths") == 1


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("see https://a.b/c_d_e?x=1, please", "https://a.b/c_d_e?x=1"),
        ("见https://a.b/c，然后", "https://a.b/c"),
        ("打开http://a.b:80获取。", "http://a.b:80"),
        ("**https://a.b/**", "https://a.b/"),
        ("(HTTPS://a.b/c_(d))", "HTTPS://a.b/c_(d)"),
        ("<https://a.b>", "https://a.b"),
        ("| https://a.b |", "https://a.b"),
    ],
)
def test_a_bare_address_is_a_link(source: str, address: str) -> None:
    assert f'<a href="{address}">{address}</a>' in to_html(source, {})
    assert to_html(source, {}).count("<a ") == 1


@pytest.mark.parametrize(
    "source", ["`https://a.b`", "xhttps://a.b", "https://", "ftp://a.b", "javascript://a.b"]
)
def test_what_is_no_address_of_the_web_is_no_link(source: str) -> None:
    assert "<a" not in to_html(source, {})


def test_an_address_within_a_link_is_its_text() -> None:
    html = to_html("[see https://a.b here](https://c.d) ![https://a.b](https://e.f)", {})
    assert html.count("<a ") == 2
    assert 'href="https://a.b"' not in html


@pytest.mark.parametrize("source", ["```\na\n\n<b\n```", "    a\n\n    <b"])
def test_code_is_one_block_without_a_line_at_its_end(source: str) -> None:
    assert to_html(source, {}) == "<pre>a<br><br>&lt;b</pre>"
