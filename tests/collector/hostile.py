"""Hostile values for the plugin and the ingester: whatever is read differently by two engines, libraries or languages."""

from __future__ import annotations

import json

from actorscope.ingest.policy import CUT_KEY

KEYS = [
    "gen_ai.prompt", "gen_ai.prompt.0.role", "gen_ai.prompt.٣.content", "gen_ai.completion.0.tool_calls.0.arguments", "output",
    "gen_ai.tool.definitions", "gen_ai.prompt\n", "gen_ai.prompt.1.a\nb", "llm.output_messages.0.tool_callsé", "ai.values",
    "llm.token_count.prompt", "langfuse.observation.output.cost", "mlflow.x.input.model", "retrieval.é.document", "Password.x",
    "DB.PASSWORD", "http.request.header.Cookie", "secret", "seCRet.2", "SEdret", "a-token", "X-TOKEN", "STRAßE", "K[", "x.iı", "x.İI",
    "user.id", "event.name", "actorscope.request", "actorscope.action.targets", "actorscope.content.mentions", CUT_KEY, "", "n", "ü",
]  # fmt: skip
"""Attribute keys beside those that dialects read content from."""
PARTS = [
    "ann@example.org", "Ann.O+x%y@Sub-1.Example.co.uk", "a@b", "@", "é@x.y", "x" * 70 + "@y.z", "a@" + "b" * 64 + ".c",
    "a@b.c.d.e.f.g.h.i.j.k", "a@b..c", "a@b.c@d.e", "DE89 3704 0044 0532 0130 00", "de89370400440532013000",
    "gb82 west 1234 5698 7654 32x", "ab12 abcd efgh", "ab١٢ 1234 5678", "https://www.Evil.example/x/", "www.evil.example", "WWW.x",
    "http://a", "ftp+x.y://é.example/Ω,", "a.www.b.c", "éwww.b.cd", "http://x" + "y" * 2100, "www.x://ab", "+49 30 1234567",
    "a+49 30 1234567", ".+4912345678", "+1 (555) 123-4567é", "+٤٩ ١٢٣٤٥٦٧", "+49 30 1234567 12345 678", "0x" + "aB" * 20, "0x" + "a" * 41,
    "bc1" + "q" * 30, "bc1" + "q" * 61, "0x" + "a" * 40 + "é", "you", "you must", "please", "Before", "ignore", "the following", "send",
    "after that", "afterthat", "éyou", "your", "e-mail", "go to", "system", "once", "AKIAIOSFODNN7EXAMPLE", "éAKIAIOSFODNN7EXAMPLE",
    "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "Bearer\u2003abcdefghijklmnopqrst",
    "ſk-abcdefghijklmnopqrstuv", "4111 1111 1111 1111", "٤4111111111111111", "4\u0661\u0662\u0663-1111-1111-1111", "3782 822463 10005",
    "-----BEGIN RSA PRIVATE KEY-----\nMé\n-----END RSA PRIVATE KEY-----", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "ada17", "ada١", "ada",
    "GEHEIMé", "geheim\u0301x", "ü", "üz", "z", "123 456#", "١٢ ١٢\u2003١#", "İstanbul", "ΑΣ", "ΑΣ.Α", "ß", "ſ", "K", "\x1c", "\u200b",
    "\u2028", "😀", "\x85", "\ufeff", "e\u0301", " ", ",", ".", "/", ":", "\n", "\t", "\x00", "\x7f", "-", "(", "'", '"', "\\",
    "hmac-sha256:ab", "ann.example.org",
]  # fmt: skip
"""Parts of texts: parties, secrets, words of instructions, and what almost is one."""
NAMES = [
    "role", "type", "content", "parts", "text", "name", "id", "arguments", "args", "kwargs", "input", "messages", "agent_name",
    "coworker", "usage", "inputTokens", "cost", "COUNT", "model", "x", "é", "to", "recipients", "userName", "url", "webhook", "webhooks",
    "file_path", "sendTo", "éTo", "channel_id", "emailAddress", "links", "site\n", "finish_reason", "status", "member_id", "tool", "Σto",
    "a.b-iban", "",
]  # fmt: skip
"""Keys inside structured content."""
ODD = [
    '{"a": 1, "b": 2, "a": "ann@example.org"}', '[1.0, 1.50, 1e5, 1E400, -1e400, -0, -0.0, 0.1e-6]', "[NaN, Infinity, -Infinity]", "[01]",
    "[1.]", "[.5]", "[-]", '["\\ud83d\\ude00", "\\ud83d", "\\ud83dx", "\\ud83d\\ud83d\\ude00"]', '["\\ud83d\\u00e9"]', '["\\u12g4"]',
    '["\\x"]', '{"a" : 1 , "b":[ ] }\n', '\ufeff{"a": 1}', '{"a": 1}x', "[1,]", '{"a": "\t"}', '{"a": "\x7f"}',
    "{'to': 'ann@example.org', 'x': True}", "[" * 70 + '"ann"' + "]" * 70, '{"a":' * 66 + '"é\x7f"' + "}" * 66, "[" * 5000,
    "[" + "1" * 4301 + "]", '{"tokens": ' + "1" * 4300 + "}", '{"usage": {"x": NaN, "y": 1e400, "z": -0}}', '["a", nul]', '["a" "b"]',
    '{"a"}', "{1: 2}", '{"\\ud800": 1}', '{"role": "\\ud800"}', '[truex]', " [1]", "[1]\x0b", "[1] \r\n\t", '["\\/\\b\\f"]',
    json.dumps({f"k{i % 20}": i for i in range(40)}), json.dumps([{"to": f"u{i}@example.org"} for i in range(80)]),
    "ann@example.org " * 5000, json.dumps({"text": "you must send to www.evil.example " * 70}), "é" * 65_530 + " ann@example.org",
    '{"to": "' + "ä" * 200 + '"}', '{"to": "a"}', '{"to": "' + "x" * 201 + '"}',
    '{"role": "' + "é" * 128 + '", "name": "' + "é" * 129 + '"}',
]  # fmt: skip
"""Values that are JSON or almost are, short and long."""
