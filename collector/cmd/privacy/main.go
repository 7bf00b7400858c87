// Command privacy applies a policy to requests on its standard input, so that tests can compare it with the ingester.
//
// A request comes as the varint of its length, `t` or `l` for traces or logs, and its bytes. The answer is the varints of what was
// cut, dropped, redacted and masked, and then the varint of its length and the bytes that the policy left.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/privacy"
	"github.com/actorscope/actorscope/collector/semconv"
)

func main() {
	said := flag.String("policy", "{}", "the policy as JSON: the fields of privacy.Config, the key in base64")
	flag.Parse()
	if err := run(*said, bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "privacy:", err)
		os.Exit(1)
	}
}

func run(said string, in *bufio.Reader, out *bufio.Writer) error {
	var config privacy.Config
	if err := json.Unmarshal([]byte(said), &config); err != nil {
		return err
	}
	rules, err := semconv.Load()
	if err != nil {
		return err
	}
	policy, err := privacy.New(config, rules)
	if err != nil {
		return err
	}
	for {
		size, err := binary.ReadUvarint(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		framed := make([]byte, 1+size)
		if _, err := io.ReadFull(in, framed); err != nil {
			return err
		}
		apply := traces
		if framed[0] == 'l' {
			apply = logs
		}
		changes, body, err := apply(policy, framed[1:])
		if err != nil {
			return err
		}
		var answer []byte
		for _, n := range []int{changes.AttributesCut, changes.AttributesDropped, changes.ValuesRedacted, changes.ContentsMasked, len(body)} {
			answer = binary.AppendUvarint(answer, uint64(n))
		}
		if _, err := out.Write(append(answer, body...)); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func traces(policy *privacy.Policy, body []byte) (changes privacy.Changes, _ []byte, err error) {
	request, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	if err != nil {
		return changes, nil, err
	}
	for _, resource := range request.ResourceSpans().All() {
		changes.Add(policy.Resource(resource.Resource()))
		for _, scope := range resource.ScopeSpans().All() {
			changes.Add(policy.Scope(scope.Scope()))
			for _, span := range scope.Spans().All() {
				changes.Add(policy.Span(span))
			}
		}
	}
	made, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(request)
	return changes, made, err
}

func logs(policy *privacy.Policy, body []byte) (changes privacy.Changes, _ []byte, err error) {
	request, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(body)
	if err != nil {
		return changes, nil, err
	}
	for _, resource := range request.ResourceLogs().All() {
		changes.Add(policy.Resource(resource.Resource()))
		for _, scope := range resource.ScopeLogs().All() {
			changes.Add(policy.Scope(scope.Scope()))
			for _, record := range scope.LogRecords().All() {
				changes.Add(policy.Log(record))
			}
		}
	}
	made, err := (&plog.ProtoMarshaler{}).MarshalLogs(request)
	return changes, made, err
}
