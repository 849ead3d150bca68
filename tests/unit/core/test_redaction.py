"""What strangers may read: no secret, no person, no place; and still what a mistake is found by."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.redaction import redact

KEPT = [
    "[12:01:07] GET /api/v1/models/01ai/Yi-34B-Chat-4bits/revisions 404 Not Found",
    "modelscope_hub.errors.NotExistError: the model does not exist, or is private",
    '  File "vllm/engine/arg_utils.py", line 1132, in create_engine_config',
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    "https://www.modelscope.cn/api/v1 and https://pypi.tuna.tsinghua.edu.cn/simple answered",
    "driver 580.65.06 (CUDA 13), glibc 2.35, Python 3.11.2",
    "INFO 11-23 12:01:52 [__init__.py:244] Automatically detected platform cuda.",
    "http://127.0.0.1:8000/v1 and [::1]:8000 listen; /root/autodl-tmp has room",
    "max_tokens=512, stop_token_ids: [7], 41.7 tokens/s",
    "model.safetensors.index.json, libcudart.so.12, std::bad_alloc in foo::bar()",
]


@pytest.mark.parametrize("line", KEPT)
def test_what_a_mistake_is_found_by_stays(line: str) -> None:
    assert redact(line, names=("root", "localhost")) == line


PRIVATE = {
    "api key": "pk-AbC_dEf-0123456789abcdef",
    "hub token": "ms-9f8e7d6c-1234-4abc-8def-0123456789ab",
    "hugging face": "hf_AbCdEfGhIjKlMnOpQrSt",
    "uuid": "9f8e7d6c-1234-4abc-8def-0123456789ab",
    "bearer": "Bearer abc.DEF-123_~+/=",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "fingerprint": "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
    "old fingerprint": "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "mac": "02:42:ac:11:00:02",
    "public key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk",
    "mail": "li.lei+gpu@example.org",
    "login": "root@connect.westb.seetacloud.com",
    "provider's host": "connect.westb.seetacloud.com",
    "host": "gpu7.lab.internal",
    "ipv4": "10.0.12.7",
    "ipv6": "2408:8207:1850::7",
    "ipv6 of the link": "fe80::1%eth0",
}


@pytest.mark.parametrize("kind", sorted(PRIVATE))
@pytest.mark.parametrize(
    "around", ["{}", "at {} now", "'{}'", '{{"value": "{}"}}', "x={};", "({})", "{}, {}", "→{}。"]
)
def test_what_is_private_goes_though_nobody_knows_it(kind: str, around: str) -> None:
    private = PRIVATE[kind]
    assert private not in redact(around.replace("{}", private))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/lilei/models", "/home/<user>/models"),
        ("/Users/Li Lei/x", "/Users/<user>/x"),
        (r"C:\Users\Li Lei\AppData", r"C:\Users\<user>\AppData"),
        ("socks5://bob:hunter2@proxy.corp.example:1080", "socks5://<user>@<host>:1080"),
        (
            "http://hub:8000/api and http://localhost:1",
            "http://<host>:8000/api and http://localhost:1",
        ),
        ("http://li:pw@hub:8000", "http://<user>@<host>:8000"),
        ("('--hf-token', 'abc', '--port', '1')", "('--hf-token', '<key>', '--port', '1')"),
        (
            "--api-key=abc --max-num-batched-tokens 512",
            "--api-key=<key> --max-num-batched-tokens 512",
        ),
        ("password: hunter2", "password: <key>"),
        ('"hub_token": "abc"', '"hub_token": "<key>"'),
        ("密码：春天来了", "密码：<key>"),
    ],
)
def test_places_and_pairs_keep_their_shape(text: str, left: str) -> None:
    assert redact(text) == left


def test_a_private_key_goes_whole() -> None:
    text = (
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
    )
    assert redact(f"a\n{text}\nb") == "a\n<key>\nb"
    assert "b3Blbn" not in redact(text[:60])


def test_a_short_name_goes_as_a_word_and_not_out_of_every_other_word() -> None:
    assert (
        redact("user li ran in li's ulimit", names=("li",)) == "user <user> ran in <user>'s ulimit"
    )


def test_a_known_secret_goes_however_it_is_written() -> None:
    secret = 'p&s "w/ü'
    for written in (secret, "p%26s%20%22w%2F%C3%BC", 'p&s \\"w/\\u00fc', 'p&s \\"w/ü'):
        assert redact(f"got {written}!", secrets=(secret,)) == "got <key>!"


_NAME = st.text(string.ascii_lowercase + string.digits, min_size=3, max_size=12)
_LABELS = st.from_regex(r"[a-z][a-z0-9]{2,9}", fullmatch=True)
PLANTED = st.one_of(
    st.binary(min_size=18, max_size=24).map(lambda b: f"pk-{b.hex()}"),
    st.ip_addresses(v=4).map(str).filter(lambda a: a not in ("0.0.0.0", "127.0.0.1")),
    st.ip_addresses(v=6, network="2000::/3").map(str),
    st.uuids().map(str),
    st.emails(domains=_LABELS.map(lambda name: f"{name}.com")).filter(
        lambda mail: mail.isascii() and all(c.isalnum() or c in ".+-@_%" for c in mail)
    ),
    st.tuples(_LABELS, _LABELS).map(lambda two: f"{two[0]}.{two[1]}.seetacloud.com"),
    st.tuples(_NAME, _LABELS).map(lambda two: f"{two[0]}@{two[1]}"),
)


@settings(max_examples=300, deadline=None)
@given(private=PLANTED, before=st.sampled_from(["", " ", "(", "'", "=", "、"]), after=_NAME)
def test_no_private_thing_survives_wherever_it_is_planted(
    private: str, before: str, after: str
) -> None:
    assert private not in redact(f"{after} {before}{private} {after}")


_NOT_OF_A_MARK = st.characters(
    exclude_characters=f"{string.ascii_letters}<> ", exclude_categories=("Cs",)
)


@settings(max_examples=300, deadline=None)
@given(
    secret=st.text(_NOT_OF_A_MARK, min_size=4, max_size=20).filter(str.strip),
    text=st.lists(st.text(max_size=12), max_size=4),
)
def test_no_known_secret_survives(secret: str, text: list[str]) -> None:
    assert secret not in redact(secret.join(["", *text, ""]), secrets=(secret,))


@pytest.mark.timeout(10)
def test_a_log_made_to_be_slow_is_read_all_the_same() -> None:
    nasty = [
        "a" * 2000,
        "a." * 1000,
        "a@" * 1000,
        "f:" * 1000,
        ".f" * 1000,
        "-" * 2000,
        "1." * 1000,
        "--a" * 700,
        "://a:b" * 300,
        'token="' * 250,
        "secret_access_" * 150,
    ]
    assert redact("\n".join(nasty * 20)).count("\n") == 20 * len(nasty) - 1


@pytest.mark.parametrize(
    "line",
    [
        "ProxyCommand sshpass -p Hunter2 nc -X 5 -x proxy:1080 %h %p",
        "sshpass -pHunter2 ssh gpu",
        "SSHPASS=Hunter2 ssh gpu",
        "ProxyCommand ncat --proxy-auth bob:Hunter2 --proxy p:3128 %h %p",
        "curl -sS -u alice:Hunter2 https://x.example.com",
        "curl --proxy-user 'alice:Hunter2' https://x.example.com",
        "https://alice:a/b/Hunter2@host.example/path",
        "socks5h://bob:p@ss@Hunter2@proxy:1080",
        "https://oss.aliyuncs.com/x?OSSAccessKeyId=LTAIx&Signature=Hunter2&Expires=1",
        "https://s3.amazonaws.com/x?X-Amz-Credential=Hunter2%2Fx&X-Amz-Signature=Hunter2",
        "AWS_SECRET_ACCESS_KEY=wJalr/K7Hunter2/bPx",
        "aws_secret_access_key = Hunter2+/=",
        "AKIAIOSFODNN7Hunter2 ASIAIOSFODNN7Hunter2 LTAI5tabcdefghHunter2",
        "AIzaSyDaGmWKa4JsXZHunter2 github_pat_11ABCDEFG0abcHunter2 npm_abcdefghijklHunter2",
        "password='with a blank Hunter2'",
        r'"password": "a \" quote Hunter2"',
        "api_key=['Hunter2']",
        "Cookie: session=abc; other=Hunter2",
        "token: a&Hunter2",
        "密码：“Hunter2”",
    ],
)
def test_a_password_in_a_command_an_address_or_a_pair_goes(line: str) -> None:
    assert "Hunter2" not in redact(line)


@pytest.mark.parametrize("line", ["00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "00:1a:2b:3c:4d:5e"])
def test_a_card_of_the_network_has_no_number(line: str) -> None:
    assert "2" not in redact(f"eth0 {line}, up")


def test_a_share_of_a_windows_network_keeps_the_name_of_its_file() -> None:
    assert redact(r"\\files\home\lilei\diary.db is locked") == r"\\<host>\diary.db is locked"


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23-12-01-52 step 3 of 10",
        "docker run -u root image",
        "https://github.com/a/b/blob/main/x.py#L5",
        "signature of forward() is (self, x)",
        "sha1 0011.2233 and 1.0.0",
    ],
)
def test_what_only_looks_like_it_stays(line: str) -> None:
    assert redact(line) == line
