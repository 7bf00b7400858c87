//go:generate go tool -modfile=../tools/go.mod mdatagen metadata.yaml

// Package actorscopeconnector counts what agents spend, hand on and are refused, from traces to metrics.
package actorscopeconnector
