// Package charts carries the Helm chart of OSToy inside the binary.
//
// It is nothing but the files: it parses nothing, renders nothing and imports
// no Helm. The same directory works with plain `helm install`.
package charts

import (
	"embed"
	"io/fs"
)

// OSToy is the chart's directory inside FS; Chart.yaml stands at its top.
const OSToy = "ostoy-s3"

// Without "all:" the embedding would leave out _helpers.tpl and .helmignore.
//
//go:embed all:ostoy-s3
var files embed.FS

// FS is the file system that holds the chart. Its paths use slashes on every
// operating system.
func FS() fs.FS { return files }
