package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/creditgraph/creditgraph/graph"
	"github.com/creditgraph/creditgraph/internal/server"
)

type manifestCommand struct {
	Paths []string `arg:"" name:"path" help:"Folders of .graphql files, with those below them, or files."`
}

// Run writes the manifest of the operations in all the files.
func (c *manifestCommand) Run(out io.Writer) error {
	var sources []*ast.Source
	for _, path := range c.Paths {
		found, err := documentsIn(path)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("%s: there are no .graphql files", path)
		}
		sources = append(sources, found...)
	}
	return server.WriteManifest(out, graph.NewExecutableSchema(graph.Config{}).Schema(), sources)
}

// documentsIn reads a file, or the .graphql files of a folder.
func documentsIn(path string) ([]*ast.Source, error) {
	var sources []*ast.Source
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || file != path && filepath.Ext(file) != ".graphql" {
			return err
		}
		text, err := os.ReadFile(file)
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
		return err
	})
	return sources, err
}

// trustedDocuments reads the manifest of the only operations that are to be answered; nil without a path.
func trustedDocuments(path string) (*server.TrustedDocuments, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("CREDITGRAPH_TRUSTED_DOCUMENTS: %w", err)
	}
	defer file.Close()
	trusted, err := server.ReadTrustedDocuments(file)
	if err != nil {
		return nil, fmt.Errorf("CREDITGRAPH_TRUSTED_DOCUMENTS: %s: %w", path, err)
	}
	return trusted, nil
}
