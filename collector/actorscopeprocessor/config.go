package actorscopeprocessor

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/actorscope/actorscope/collector/privacy"
	"github.com/actorscope/actorscope/collector/semconv"
)

// What becomes of prompts, answers, arguments and results.
const (
	contentKeep        = "keep"
	contentFingerprint = "fingerprint"
	contentDrop        = "drop"
)

// shortestKey is the least number of bytes from which a key of fingerprints cannot be tried out.
const shortestKey = 16

// Config is what users set.
type Config struct {
	// KeepOriginals leaves attributes of other vocabularies on a record whose facts were read from them.
	KeepOriginals bool `mapstructure:"keep_originals"`
	// Content says what becomes of prompts, answers, arguments and results: keep, fingerprint or drop.
	Content string `mapstructure:"content"`
	// FingerprintKey is the secret of fingerprints in hex digits.
	FingerprintKey configopaque.String `mapstructure:"fingerprint_key"`
	// FingerprintKeyFile holds the secret instead, in the form that Actorscope's ingesters write and read.
	FingerprintKeyFile string `mapstructure:"fingerprint_key_file"`
	// Redact hides values in every record, resource and scope.
	Redact RedactConfig `mapstructure:"redact"`
	// Limits bound the size of what passes.
	Limits LimitsConfig `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// RedactConfig says what is hidden; the words are those of Actorscope's ingest.privacy.
type RedactConfig struct {
	// Keys of attributes whose values are replaced; `*` stands for anything.
	Keys []string `mapstructure:"keys"`
	// Patterns in RE2 syntax; what they match in any text is replaced.
	Patterns []string `mapstructure:"patterns"`
	// Presets are named patterns that come with Actorscope.
	Presets []string `mapstructure:"presets"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LimitsConfig bounds sizes; the words are those of Actorscope's ingest.limits.
type LimitsConfig struct {
	// MaxAttributes of one span, event, link, log record, scope or resource, before canonical ones are written.
	MaxAttributes int `mapstructure:"max_attributes"`
	// MaxValueKiB is the longest text of one attribute value or log body.
	MaxValueKiB int `mapstructure:"max_value_kib"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate names all problems at once.
func (c *Config) Validate() error {
	var problems []error
	switch c.Content {
	case contentKeep:
		if c.FingerprintKey != "" || c.FingerprintKeyFile != "" {
			problems = append(problems, errors.New("a key of fingerprints is only used with `content: fingerprint` or `content: drop`"))
		}
	case contentFingerprint, contentDrop:
		switch {
		case c.FingerprintKey == "" && c.FingerprintKeyFile == "":
			problems = append(problems, fmt.Errorf("`content: %s` needs `fingerprint_key_file` or `fingerprint_key`", c.Content))
		case c.FingerprintKey != "" && c.FingerprintKeyFile != "":
			problems = append(problems, errors.New("`fingerprint_key_file` and `fingerprint_key` exclude each other"))
		case c.FingerprintKey != "":
			if _, err := parseKey(string(c.FingerprintKey)); err != nil {
				problems = append(problems, fmt.Errorf("`fingerprint_key`: %w", err))
			}
		}
	default:
		problems = append(problems, fmt.Errorf("`content` is %q; it must be keep, fingerprint or drop", c.Content))
	}
	if c.Limits.MaxAttributes < 1 {
		problems = append(problems, fmt.Errorf("`limits.max_attributes` is %d; it must be at least 1", c.Limits.MaxAttributes))
	}
	if c.Limits.MaxValueKiB < 1 {
		problems = append(problems, fmt.Errorf("`limits.max_value_kib` is %d; it must be at least 1", c.Limits.MaxValueKiB))
	}
	rules, err := semconv.Load()
	if err == nil {
		_, err = privacy.New(c.privacy(nil, 0), rules)
	}
	return errors.Join(append(problems, err)...)
}

// privacy is the part of it that the policy needs; more is the number of attributes allowed on top.
func (c *Config) privacy(key []byte, more int) privacy.Config {
	return privacy.Config{
		MaxAttributes:  max(c.Limits.MaxAttributes, 1) + more,
		MaxValueBytes:  max(c.Limits.MaxValueKiB, 1) * 1024,
		RedactKeys:     c.Redact.Keys,
		RedactPatterns: c.Redact.Patterns,
		RedactPresets:  c.Redact.Presets,
		FingerprintKey: key,
	}
}

// key is the secret of fingerprints; nil where content is kept.
func (c *Config) key() ([]byte, error) {
	if c.Content == contentKeep {
		return nil, nil
	}
	if c.FingerprintKey != "" {
		return parseKey(string(c.FingerprintKey))
	}
	text, err := os.ReadFile(c.FingerprintKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the key of fingerprints: %w", err)
	}
	key, err := parseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("the key of fingerprints in %s: %w", c.FingerprintKeyFile, err)
	}
	return key, nil
}

func parseKey(text string) ([]byte, error) {
	key, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errors.New("it must consist of hex digits")
	}
	if len(key) < shortestKey {
		return nil, fmt.Errorf("it has %d bytes; it must have at least %d", len(key), shortestKey)
	}
	return key, nil
}
