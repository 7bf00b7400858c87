package actorscopeconnector

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := file.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	config := createDefaultConfig()
	require.NoError(t, sub.Unmarshal(config))
	return config.(*Config)
}

func TestTheEmptyConfigIsTheDefault(t *testing.T) {
	config := createDefaultConfig()
	require.NoError(t, confmap.New().Unmarshal(config))
	assert.Equal(t, createDefaultConfig(), config)
	assert.NoError(t, config.(*Config).Validate())
}

func TestEverythingCanBeSet(t *testing.T) {
	config := load(t, "all")
	assert.NoError(t, config.Validate())
	assert.Equal(t, 2*time.Second, config.FlushInterval)
	assert.Equal(t, 50, config.MaxActors)
	assert.False(t, config.Metrics.ActorscopeRuns.Enabled)
	assert.True(t, config.Metrics.ActorscopeCost.Enabled)
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	err := load(t, "wrong").Validate()
	assert.ErrorContains(t, err, "metrics_flush_interval")
	assert.ErrorContains(t, err, "max_actors")
}
