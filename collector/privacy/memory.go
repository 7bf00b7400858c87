package privacy

import (
	"strings"
	"sync"
)

const (
	mostRemembered    = 65_536
	longestRemembered = 200
)

// memory remembers what there is to know about names: there are few of them, and they come again and again. Strangers choose
// them, so there is a bound to it.
type memory[T any] struct {
	of    func(string) T
	mutex sync.RWMutex
	seen  map[string]T
}

func (m *memory[T]) get(name string) T {
	m.mutex.RLock()
	info, is := m.seen[name]
	m.mutex.RUnlock()
	if is {
		return info
	}
	info = m.of(name)
	if len(name) <= longestRemembered {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		if m.seen == nil {
			m.seen = map[string]T{}
		}
		if len(m.seen) < mostRemembered {
			m.seen[strings.Clone(name)] = info
		}
	}
	return info
}
