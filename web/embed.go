// Package web holds the explorer: the page at the service's root, with which people try the graph out. Its sources
// are beside this file. `make web` builds them into dist, packed with gzip, and that is what the program carries.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the page as it was built: index.html.gz, assets/*.gz and LEGAL.txt.gz.
func Dist() fs.FS {
	within, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name above is a good one
	}
	return within
}
