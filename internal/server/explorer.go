package server

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// explorerPolicy lets the page run its own scripts and talk to this server, and nothing else. The editor sets
// styles from its scripts, which is why those are allowed where they stand.
const explorerPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// How long browsers keep what they got. The names of assets change with their content.
const (
	keepAsset = "public, max-age=31536000, immutable"
	keepPage  = "no-cache" // ask each time whether it is another one
)

// explorer serves the page on which the graph can be tried out. Its files are packed, and unpacked for those
// clients alone that do not take them packed.
type explorer struct {
	files fs.FS
	log   *slog.Logger
}

// serveExplorer puts the page at its addresses.
func (c *Config) serveExplorer(mux *http.ServeMux) {
	if c.Explorer == nil {
		return
	}
	e := explorer{c.Explorer, c.Logger}
	mux.Handle("GET /{$}", e.page("index.html"))
	mux.Handle("GET /LEGAL.txt", e.page("LEGAL.txt"))
	mux.Handle("GET /assets/{name}", e.assets())
	if c.Guests != nil {
		mux.Handle("GET /explorer/session", guestBook{c.Guests, c.Issuer, c.Logger})
	}
}

// page serves one file of the page, under a tag by which a browser asks whether it has changed.
func (e explorer) page(name string) http.Handler {
	tag := e.tag(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(w, r, name, tag, keepPage) })
}

// assets serves the files whose names change with their content.
func (e explorer) assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		e.serve(w, r, "assets/"+name, strconv.Quote(name), keepAsset) // what leads out of the folder is no valid name
	})
}

// tag is made from a file's content; "" where there is no such file.
func (e explorer) tag(name string) string {
	content, err := fs.ReadFile(e.files, name+".gz")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return strconv.Quote(hex.EncodeToString(sum[:16]))
}

func (e explorer) serve(w http.ResponseWriter, r *http.Request, name, tag, keep string) {
	file, err := e.files.Open(name + ".gz")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			e.log.ErrorContext(r.Context(), "a file of the explorer cannot be read", "file", name, "error", err)
		}
		answer(w, http.StatusNotFound, "There is no such file.")
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	guardPage(w.Header())
	w.Header().Set("Cache-Control", keep)
	w.Header().Set("Vary", "Accept-Encoding")
	packed := takesGzip(r.Header.Values("Accept-Encoding"))
	if !packed {
		tag = strings.TrimSuffix(tag, `"`) + `-plain"`
	}
	w.Header().Set("ETag", tag)
	if has(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", typeOf(name))
	if err := send(w, file, packed); err != nil && r.Context().Err() == nil {
		e.log.WarnContext(r.Context(), "a file of the explorer was not sent whole", "file", name, "error", err)
	}
}

// guardPage keeps what a page may do small, and other pages away from it.
func guardPage(header http.Header) {
	header.Set("Content-Security-Policy", explorerPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// send writes a packed file, as it is or unpacked.
func send(w http.ResponseWriter, file fs.File, packed bool) error {
	if !packed {
		content, err := gzip.NewReader(file)
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		_, err = io.Copy(w, content)
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	_, err = io.Copy(w, file)
	return err
}

// typeOf is the media type that a file's name tells. It asks nothing of the machine, whose table of types may be
// another one.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return jsonType
	case ".svg":
		return "image/svg+xml"
	case ".ttf":
		return "font/ttf"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}

// takesGzip reports whether an Accept-Encoding lets us send gzip.
func takesGzip(values []string) bool {
	takes := false
	for _, part := range listed(values) {
		coding, parameters, err := mime.ParseMediaType(part)
		if err != nil || coding != "gzip" && coding != "x-gzip" && coding != "*" {
			continue
		}
		weight, err := strconv.ParseFloat(parameters["q"], 64)
		good := parameters["q"] == "" || err == nil && weight > 0
		if coding != "*" {
			return good
		}
		takes = good
	}
	return takes
}

// has reports whether an If-None-Match names a tag.
func has(values []string, tag string) bool {
	for _, part := range listed(values) {
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}

// listed are the elements of a header that holds a list.
func listed(values []string) []string {
	var list []string
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}
