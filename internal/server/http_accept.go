package server

import (
	"mime"
	"strconv"
	"strings"
)

// negotiate chooses the media type of an answer from the Accept headers: the one with the highest weight, and of
// equals the one that is named first. Who does not say, or takes anything, gets plain JSON; false is for those who
// take neither type in UTF-8.
func negotiate(accept []string) (mediaType string, ok bool) {
	header := strings.Join(accept, ",")
	if strings.TrimSpace(header) == "" {
		return jsonType, true
	}
	weights := map[string]*weight{}
	for place, part := range strings.Split(header, ",") {
		for _, mediaType := range []string{graphqlType, jsonType} {
			if w, matches := weigh(part, mediaType); matches && (weights[mediaType] == nil || w.precision > weights[mediaType].precision) {
				w.place = place
				weights[mediaType] = &w
			}
		}
	}
	newer, plain := weights[graphqlType], weights[jsonType]
	switch {
	case newer.beats(plain):
		return graphqlType, true
	case plain != nil && plain.q > 0:
		return jsonType, true
	}
	return "", false
}

// weight is what a client thinks of a media type.
type weight struct {
	q         float64
	precision int // 0 for */*, 1 for application/*, 2 for the type's own name
	place     int
}

// beats reports whether the newer type is wanted more than the plain one. By a wildcard nobody asks for it.
func (newer *weight) beats(plain *weight) bool {
	switch {
	case newer == nil || newer.q == 0 || newer.precision < 2 && plain != nil && plain.q > 0:
		return false
	case plain == nil || newer.q > plain.q:
		return true
	}
	return newer.q == plain.q && (plain.precision < 2 || newer.place < plain.place)
}

// weigh reads one part of an Accept header, for one media type.
func weigh(part, mediaType string) (w weight, matches bool) {
	named, parameters, err := mime.ParseMediaType(part)
	if err != nil {
		return w, false
	}
	switch named {
	case "*/*":
	case "application/*":
		w.precision = 1
	case mediaType:
		w.precision = 2
	default:
		return w, false
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return w, false
	}
	w.q = 1
	if text := parameters["q"]; text != "" {
		if w.q, err = strconv.ParseFloat(text, 64); err != nil || !(w.q >= 0 && w.q <= 1) {
			return w, false
		}
	}
	return w, true
}
