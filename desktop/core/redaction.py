"""Text that may be shown to strangers: without secrets, and without who and where.

Two nets. What is known to be private is replaced wherever it stands; what looks like a key, an
address or a person is replaced though nobody knows it. What is left is what a mistake is found by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote

from desktop.core.plain_text import plain_text
from desktop.core.providers import providers

KEY, ADDRESS, HOST, USER, ID = "<key>", "<address>", "<host>", "<user>", "<id>"
_SHORTEST_SECRET = 4  # a shorter one is only found as a word: it would be in every other one
_NOBODY = frozenset({"root", "localhost", "127.0.0.1", "::1", ""})

# Where everybody fetches from: what failed there says nothing about anybody.
_PUBLIC = (
    "modelscope.cn|modelscope.ai|huggingface.co|hf-mirror.com|github.com|githubusercontent.com|"
    "pypi.org|pythonhosted.org|aliyun.com|aliyuncs.com|tsinghua.edu.cn|ustc.edu.cn|pytorch.org|"
    "nvidia.com|tencent.com|tencentyun.com|huaweicloud.com|sjtu.edu.cn|bfsu.edu.cn|docker.com|"
    "docker.io|python.org|conda.io|anaconda.com|anaconda.org"
)
_IS_PUBLIC = re.compile(rf"(?:[\w-]+\.)*(?:{_PUBLIC.replace('.', chr(92) + '.')})", re.IGNORECASE)
# Names below these are hosts. Endings of file names (py, so, sh, md, rs, cc) are left out: a
# traceback without its files says nothing.
_TOPS = (
    "com|net|org|edu|gov|cn|io|ai|dev|app|cloud|local|lan|home|internal|intranet|corp|test|example|"
    "top|xyz|tech|site|online|info|co|me|tv|cc|uk|de|fr|nl|jp|kr|tw|hk|sg|us|eu|ch|au|ca|ru|in|br"
)
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"

# What is called like this is a secret, whatever it looks like.
_CALLED = (
    "passw(?:or)?d|passwd|pwd|passphrase|sshpass|secret|secret[_-]?access[_-]?key|token|"
    "api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key(?:[_-]?id)?|signature|credential|"
    "密码|口令"
)
_OPTIONS = "token|key|passw(?:or)?d|secret|proxy-auth"
_VALUE = r"(?:([\"'])(?:\\.|(?!\2).)*\2?|[^\s\"',;]+)"  # quoted, or one word
_KEPT_NAME = rf"\1\2{KEY}\2"

_Replacing = str | Callable[[re.Match[str]], str]


def _host(found: re.Match[str]) -> str:
    return found[0] if _IS_PUBLIC.fullmatch(found[0]) else HOST


def _of_url(found: re.Match[str]) -> str:
    return found[0] if found[0] in _NOBODY or _IS_PUBLIC.fullmatch(found[0]) else HOST


def _four(found: re.Match[str]) -> str:
    return found[0] if found[0] in _NOBODY or found[0] == "0.0.0.0" else ADDRESS  # noqa: S104


def _six(found: re.Match[str]) -> str:
    """Replace an IPv6 address; a time such as 12:01:07 is none."""
    text = found[0]
    for candidate in (text, text.rstrip(".:"), text.rstrip(".")):
        try:
            address = IPv6Address(candidate)
        except AddressValueError:
            continue
        return text if address.is_loopback or int(address) == 0 else ADDRESS
    return text


def _patterns() -> list[tuple[re.Pattern[str], _Replacing]]:
    domains = "|".join(
        re.escape(domain) for each in providers().values() for domain in each.domains
    )
    some = re.IGNORECASE
    return [
        (re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL), KEY),
        (re.compile(r"\b(?:bearer|basic)\s+[\w.~+/=-]+", some), KEY),
        (re.compile(r"(?:ssh-[\w-]+|ecdsa-[\w-]+)\s+AAAA[\w+/=]+(?:\s+\S+@\S+)?"), KEY),
        (re.compile(r"AAAA[\w+/=]{40,}"), KEY),
        (re.compile(r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), KEY),
        (re.compile(r"(?:pk|sk|hf|ms|glpat|gh[opsur]|xox[a-z])[-_][\w-]{16,}"), KEY),
        (re.compile(r"\b(?:AKIA|ASIA|AKID|LTAI|AIza|github_pat_|npm_)[\w-]{12,}"), KEY),
        (re.compile(r"(?:SHA256:|MD5:)[\w+/=:]+", some), KEY),
        (re.compile(r"(?<![0-9a-f:])(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}(?![0-9a-f])", some), KEY),
        (re.compile(r"(?<![\w-])(?:[0-9a-f]{2}-){5}[0-9a-f]{2}(?![\w-])", some), ID),
        (
            re.compile(r"(?<![\w.])(?=[\d.]*[a-f])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![\w.])", some),
            ID,
        ),
        (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", some), ID),
        (re.compile(r"((?:set-)?cookie[\"']?\s*[:=]\s*)[^\r\n]+", some), rf"\1{KEY}"),
        (re.compile(rf"((?:{_CALLED})[\"']?\s*[:=：]\s*[\[({{]*){_VALUE}", some), _KEPT_NAME),
        (re.compile(rf"(\b(?:pass|pw|auth)=){_VALUE}", some), _KEPT_NAME),
        (re.compile(rf"(--[\w-]{{0,60}}?(?:{_OPTIONS})\b[\"']?[\s,=]+){_VALUE}", some), _KEPT_NAME),
        (re.compile(rf"(\bsshpass\b[^\n|;&]{{0,80}}?\s-p\s*){_VALUE}"), _KEPT_NAME),
        (
            re.compile(r"(\s(?:-u|-U|--(?:proxy-)?user)[\s=]+[\"']?)[^\s:\"']+:[^\s\"']+"),
            rf"\1{KEY}",
        ),
        (
            re.compile(r"(?<=://)[^\s/:@]{0,100}:(?!\d{1,5}[/?#])[^\s@]{1,300}@[\w.-]+"),
            f"{USER}@{HOST}",
        ),
        (re.compile(r"(?<=://)[^/\s@]+@[\w.-]+"), f"{USER}@{HOST}"),
        (re.compile(r"(?<=://)[\w.-]+"), _of_url),
        (
            re.compile(rf"(?<![\w.+%-])[\w.+%-]+@(?:\[[^\]\s]*\]|{_LABEL}(?:\.{_LABEL})*)"),
            f"{USER}@{HOST}",
        ),
        (re.compile(r"((?:/home|/Users|/export/home)/+)[^/\s:\"',;)]+"), rf"\1{USER}"),
        (re.compile(r"(?<![^\s\"'(=])\\\\[\w.$-]+(?:\\+[^\s\\\"']+)+(?=\\)"), rf"\\\\{HOST}"),
        (re.compile(r"(Users[\\/]+)[^\\/:\"'\r\n]+", some), rf"\1{USER}"),
        (re.compile(rf"(?<![\w.-])(?:{_LABEL}\.)*(?:{domains})(?![\w-])", some), HOST),
        (re.compile(rf"(?<![\w.-])(?:{_LABEL}\.)+(?:{_TOPS})(?![\w-]|\.\w)", some), _host),
        (re.compile(r"(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)"), _four),
        (
            re.compile(
                r"(?<![0-9A-Za-z])(?=[0-9A-Fa-f.]{0,20}:[0-9A-Fa-f.]{0,20}:)[0-9A-Fa-f:.]{2,}(?:%\w+)?"
            ),
            _six,
        ),
    ]


_PATTERNS: list[tuple[re.Pattern[str], _Replacing]] = []  # made by the first report


def redact(text: str, secrets: Collection[str] = (), names: Collection[str] = ()) -> str:
    """Return the text without what is private.

    Args:
        text: anything: a log, a fact, a whole report.
        secrets: passwords and keys that are known; replaced wherever they stand, also as a URL or
            JSON would write them.
        names: users, hosts and addresses that are known; replaced where they stand as words.
    """
    if not _PATTERNS:
        _PATTERNS.extend(_patterns())
    for secret in _longest_first(secrets):
        text = _without(text, secret, KEY, whole_word=len(secret) < _SHORTEST_SECRET)
    for name in _longest_first(set(names) - _NOBODY):
        text = _without(text, name, HOST if "." in name or ":" in name else USER, whole_word=True)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _longest_first(values: Collection[str]) -> list[str]:
    return sorted({value.strip() for value in values} | set(values), key=len, reverse=True)


def _without(text: str, private: str, instead: str, *, whole_word: bool) -> str:
    if not private.strip():
        return text
    for written in _ways_to_write(private):
        found = re.escape(written)
        if whole_word:
            found = rf"(?<![^\W_]){found}(?![^\W_])"
        text = re.sub(found, lambda _: instead, text, flags=re.IGNORECASE)
    return text


def _ways_to_write(private: str) -> list[str]:
    """Return it as it is, in a URL, in JSON, and as a log has it."""
    written = (
        private,
        quote(private, safe=""),
        json.dumps(private)[1:-1],
        json.dumps(private, ensure_ascii=False)[1:-1],
        plain_text(private),
    )
    return [each for each in dict.fromkeys(written) if each.strip()]
