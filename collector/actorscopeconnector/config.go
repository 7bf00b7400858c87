package actorscopeconnector

import (
	"errors"
	"fmt"
	"time"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
)

// Config is what users set.
type Config struct {
	metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// FlushInterval is the pause between two exports of all counts.
	FlushInterval time.Duration `mapstructure:"metrics_flush_interval"`
	// MaxActors is how many pairs of service and agent are counted apart; all others are counted together as `other`.
	MaxActors int `mapstructure:"max_actors"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate names all problems at once.
func (c *Config) Validate() error {
	var problems []error
	if c.FlushInterval <= 0 {
		problems = append(problems, fmt.Errorf("`metrics_flush_interval` is %s; it must be above 0", c.FlushInterval))
	}
	if c.MaxActors < 1 {
		problems = append(problems, fmt.Errorf("`max_actors` is %d; it must be at least 1", c.MaxActors))
	}
	return errors.Join(problems...)
}
