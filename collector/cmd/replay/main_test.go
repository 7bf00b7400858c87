package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

func frame(kind byte, body []byte) []byte {
	return append(append(binary.AppendUvarint(nil, uint64(len(body)+1)), kind), body...)
}

func TestEveryFrameIsAnsweredByOne(t *testing.T) {
	traces, logs := ptrace.NewTraces(), plog.NewLogs()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Attributes().PutStr("gen_ai.operation.name", "chat")
	one, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	other, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in := bytes.NewReader(append(append(frame('t', one), frame('l', other)...), frame('t', nil)...))
	if err := run(in, &out, true); err != nil {
		t.Fatal(err)
	}
	if count := bytes.Count(out.Bytes(), []byte(semconv.EdgeDialect)); count != 2 {
		t.Errorf("%d records are marked", count)
	}
	if !bytes.HasSuffix(out.Bytes(), frame('t', nil)) {
		t.Error("the empty request has no answer")
	}
}

func TestWhatIsNoFrameIsAnError(t *testing.T) {
	for _, in := range [][]byte{{0}, {5, 't'}, frame('x', nil), frame('t', []byte{1}), binary.AppendUvarint(nil, largest+1)} {
		if err := run(bytes.NewReader(in), &bytes.Buffer{}, true); err == nil {
			t.Errorf("%v was taken", in)
		}
	}
}
