// Command replay normalises recorded OTLP as the processor does: a filter from stdin to stdout, for tests and for a look.
//
// A frame is the length of the rest as a varint (as protobuf writes them), one byte, and a request: t stands for an
// ExportTraceServiceRequest, l for an ExportLogsServiceRequest. Each frame is answered by one with the processed request.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/semconv"
)

// largest is the longest frame that is read, so that a broken length asks for no memory.
const largest = 1 << 30

type filter struct {
	n             *normalise.Normaliser
	facts         *normalise.Facts
	keepOriginals bool
}

func main() {
	keepOriginals := flag.Bool("keep-originals", true, "keep the attributes out of which facts were read, and what canonical ones replace")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *keepOriginals); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(from io.Reader, to io.Writer, keepOriginals bool) error {
	rules, err := semconv.Load()
	if err != nil {
		return err
	}
	n, err := normalise.New(rules)
	if err != nil {
		return err
	}
	f := filter{n, n.NewFacts(), keepOriginals}
	in, out := bufio.NewReader(from), bufio.NewWriter(to)
	for {
		frame, err := read(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if frame, err = f.process(frame); err != nil {
			return err
		}
		if _, err = out.Write(binary.AppendUvarint(nil, uint64(len(frame)))); err != nil {
			return err
		}
		if _, err = out.Write(frame); err != nil {
			return err
		}
		if err = out.Flush(); err != nil {
			return err
		}
	}
}

func read(in *bufio.Reader) ([]byte, error) {
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return nil, err
	}
	if size == 0 || size > largest {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame := make([]byte, size)
	if _, err = io.ReadFull(in, frame); err != nil {
		return nil, fmt.Errorf("a frame is cut: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return frame, nil
}

func (f *filter) process(frame []byte) ([]byte, error) {
	var made []byte
	var err error
	switch frame[0] {
	case 't':
		made, err = f.traces(frame[1:])
	case 'l':
		made, err = f.logs(frame[1:])
	default:
		err = fmt.Errorf("a frame of kind %q", frame[0])
	}
	return append(frame[:1:1], made...), err
}

func (f *filter) traces(body []byte) ([]byte, error) {
	found, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	if err != nil {
		return nil, err
	}
	for _, resource := range found.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if f.n.Span(resource.Resource().Attributes(), scope.Scope(), span, f.facts) {
					f.n.Write(span.Attributes(), f.facts, f.keepOriginals)
				}
			}
		}
	}
	return (&ptrace.ProtoMarshaler{}).MarshalTraces(found)
}

func (f *filter) logs(body []byte) ([]byte, error) {
	found, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(body)
	if err != nil {
		return nil, err
	}
	for _, resource := range found.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if f.n.Log(resource.Resource().Attributes(), scope.Scope(), record, f.facts) {
					f.n.Write(record.Attributes(), f.facts, f.keepOriginals)
				}
			}
		}
	}
	return (&plog.ProtoMarshaler{}).MarshalLogs(found)
}
