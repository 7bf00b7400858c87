//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package actorscopeprocessor normalises traces and logs of AI agents and hides content, before anything leaves the host.
package actorscopeprocessor
