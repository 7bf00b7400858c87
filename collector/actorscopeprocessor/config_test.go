package actorscopeprocessor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadata"
)

var testKey = strings.Repeat("0a", 32)

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
	assert.Equal(t, &Config{
		KeepOriginals:  false,
		Content:        contentDrop,
		FingerprintKey: "000102030405060708090a0b0c0d0e0f",
		Redact:         RedactConfig{Keys: []string{"*.password"}, Patterns: []string{`\bsecret-\d+`}, Presets: []string{"emails"}},
		Limits:         LimitsConfig{MaxAttributes: 128, MaxValueKiB: 64},
	}, config)
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	err := load(t, "wrong").Validate()
	for _, what := range []string{"`content` is \"hide\"", "max_attributes", "max_value_kib", "no-such-preset"} {
		assert.ErrorContains(t, err, what)
	}
}

func TestKeysOfFingerprints(t *testing.T) {
	for name, said := range map[string]string{
		"keyless":  "needs `fingerprint_key_file`",
		"twokeys":  "exclude each other",
		"needless": "only used with",
		"nohex":    "hex digits",
		"short":    "at least 16",
	} {
		t.Run(name, func(t *testing.T) { assert.ErrorContains(t, load(t, name).Validate(), said) })
	}
}

func TestTheKeyFileIsThatOfTheIngester(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fingerprint.key")
	require.NoError(t, os.WriteFile(file, []byte(testKey+"\n"), 0o600))
	config := &Config{Content: contentFingerprint, FingerprintKeyFile: file}
	key, err := config.key()
	require.NoError(t, err)
	assert.Len(t, key, 32)
	config.FingerprintKeyFile += ".gone"
	_, err = config.key()
	assert.ErrorContains(t, err, "reading the key of fingerprints")
}

func TestASecretIsNotShown(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.FingerprintKey = "000102030405060708090a0b0c0d0e0f"
	shown := confmap.New()
	require.NoError(t, shown.Marshal(config))
	assert.Equal(t, "[REDACTED]", shown.Get("fingerprint_key"))
}
