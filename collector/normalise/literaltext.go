package normalise

import (
	"strconv"
	"strings"
)

// texts reads texts or bytes, several in a row as one; is says whether there are any.
func (p *python) texts() (found value, is, ok bool) {
	for {
		start := p.at
		made, isText, ok := p.oneText()
		if !isText {
			p.at = start
			return found, is, true
		}
		if !ok || is && made.kind != found.kind {
			return found, true, false
		}
		found = value{kind: made.kind, text: found.text + made.text}
		is = true
		p.space()
	}
}

func (p *python) oneText() (found value, is, ok bool) {
	prefix := p.at
	for p.at < len(p.source) && isName(p.source[p.at]) {
		p.at++
	}
	lead := strings.ToLower(p.source[prefix:p.at])
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		return value{}, false, true
	}
	isRaw, isBytes := false, false
	switch lead {
	case "", "u":
	case "r":
		isRaw = true
	case "b":
		isBytes = true
	case "br", "rb":
		isRaw, isBytes = true, true
	default:
		return value{}, true, false
	}
	end := p.source[p.at : p.at+1]
	if long := strings.Repeat(end, 3); strings.HasPrefix(p.source[p.at:], long) {
		end = long
	}
	p.at += len(end)
	start := p.at
	for !strings.HasPrefix(p.source[p.at:], end) {
		c := p.peek()
		if p.at >= len(p.source) || c == '\n' && len(end) == 1 || c >= 0x80 && isBytes {
			return value{}, true, false
		}
		if c == '\\' {
			p.at++
		}
		p.at = min(p.at+1, len(p.source))
	}
	said := p.source[start:p.at]
	p.at += len(end)
	found.kind = kindText
	if isBytes {
		found.kind = kindBytes
	}
	if isRaw {
		found.text = said
		return found, true, true
	}
	found.text, ok = unescaped(said, isBytes)
	return found, true, ok
}

const escapes, meant = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"

func unescaped(said string, isBytes bool) (string, bool) {
	if !strings.Contains(said, `\`) {
		return said, true
	}
	made := make([]byte, 0, len(said))
	for i := 0; i < len(said); {
		c := said[i]
		i++
		if c != '\\' {
			made = append(made, c)
			continue
		}
		c = said[i] // the scan went over it
		i++
		if at := strings.IndexByte(escapes, c); at >= 0 {
			made = append(made, meant[at])
			continue
		}
		size := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		switch {
		case c == '\n':
		case '0' <= c && c <= '7':
			end := i
			for end < len(said) && end < i+2 && '0' <= said[end] && said[end] <= '7' {
				end++
			}
			code, _ := strconv.ParseUint(said[i-1:end], 8, 32)
			made = appendLetter(made, rune(code))
			i = end
		case size > 0 && (c == 'x' || !isBytes):
			if i+size > len(said) {
				return "", false
			}
			code, err := strconv.ParseUint(said[i:i+size], 16, 32)
			if err != nil || code > 0x10ffff {
				return "", false
			}
			made = appendLetter(made, rune(code))
			i += size
		case c == 'N' && !isBytes:
			return "", false
		default:
			made = append(made, '\\', c)
		}
	}
	return string(made), true
}
