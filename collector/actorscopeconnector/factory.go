package actorscopeconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
)

const (
	defaultFlushInterval = 15 * time.Second
	defaultMaxActors     = 1000
)

// NewFactory returns the factory of the connector.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithTracesToMetrics(createTracesToMetrics, metadata.TracesToMetricsStability),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		FlushInterval:        defaultFlushInterval,
		MaxActors:            defaultMaxActors,
	}
}

func createTracesToMetrics(
	_ context.Context, set connector.Settings, config component.Config, next consumer.Metrics,
) (connector.Traces, error) {
	return newConnector(set, config.(*Config), next)
}
