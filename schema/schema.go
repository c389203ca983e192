// Package schema holds the SDL of the graph, one file for each subject.
package schema

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.graphqls
var files embed.FS

// File is one part of the schema.
type File struct {
	Name string // of the file: "loan.graphqls"
	Text string
}

// Files lists the parts of the schema by name. The error is one of reading what the binary embeds.
func Files() ([]File, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	list := make([]File, 0, len(entries))
	for _, entry := range entries {
		text, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, File{Name: entry.Name(), Text: string(text)})
	}
	return list, nil
}

// SDL is the whole schema as one document, with the errors of [Files].
func SDL() (string, error) {
	list, err := Files()
	if err != nil {
		return "", err
	}
	texts := make([]string, len(list))
	for i, file := range list {
		texts[i] = "# " + file.Name + "\n\n" + file.Text
	}
	return strings.Join(texts, "\n"), nil
}
