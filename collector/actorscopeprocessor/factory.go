package actorscopeprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadata"
)

// Defaults of the limits. Attributes are fewer than the 1024 that Actorscope takes, so that there is room for canonical ones.
const (
	defaultMaxAttributes = 896
	defaultMaxValueKiB   = 8192
)

var capabilities = consumer.Capabilities{MutatesData: true}

// NewFactory returns the factory of the processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithTraces(createTraces, metadata.TracesStability),
		processor.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		KeepOriginals: true,
		Content:       contentKeep,
		Limits:        LimitsConfig{MaxAttributes: defaultMaxAttributes, MaxValueKiB: defaultMaxValueKiB},
	}
}

func createTraces(
	ctx context.Context, set processor.Settings, config component.Config, next consumer.Traces,
) (processor.Traces, error) {
	p, err := newProcessor(set, config.(*Config), "traces")
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, config, next, p.traces,
		processorhelper.WithCapabilities(capabilities), processorhelper.WithShutdown(p.shutdown))
}

func createLogs(
	ctx context.Context, set processor.Settings, config component.Config, next consumer.Logs,
) (processor.Logs, error) {
	p, err := newProcessor(set, config.(*Config), "logs")
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, config, next, p.logs,
		processorhelper.WithCapabilities(capabilities), processorhelper.WithShutdown(p.shutdown))
}
