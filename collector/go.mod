module github.com/actorscope/actorscope/collector

go 1.26.0

require go.opentelemetry.io/collector/pdata v1.71.0 // indirect
