package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a chart may hold. Helm's own limits (100 MiB, 5 MiB a file) count
// neither the number of files nor the archives of other charts inside of an
// archive, each of which it would allow as much again. ACK's charts have a few
// hundred kilobytes.
const (
	maxChart      = 64 << 20
	maxChartFile  = 5 << 20
	maxChartFiles = 2000
	maxChartDepth = 5
)

var errTooMuch = errors.New("there is more in it than in any chart of a controller")

// allowance is what a chart may still hold, the charts in it included.
type allowance struct {
	bytes int64
	files int
	depth int
}

func newAllowance() *allowance {
	return &allowance{bytes: maxChart, files: maxChartFiles, depth: maxChartDepth}
}

func (a *allowance) take(files int, bytes int64) error {
	a.files -= files
	a.bytes -= bytes
	switch {
	case a.files < 0:
		return fmt.Errorf("%w: more than %d files", errTooMuch, maxChartFiles)
	case a.bytes < 0:
		return fmt.Errorf("%w: more than %d MB", errTooMuch, maxChart>>20)
	}
	return nil
}

// file counts a file, and what is in it where it is an archive: Helm unpacks
// those it finds in charts/.
func (a *allowance) file(name string, data []byte) error {
	if err := a.take(1, int64(len(data))); err != nil {
		return err
	}
	if !strings.HasSuffix(name, ".tgz") {
		return nil
	}
	// One that cannot be read is Helm's to complain of, if it is a chart at all.
	if err := a.archive(data); errors.Is(err, errTooMuch) {
		return err
	}
	return nil
}

// archive counts what is in a gzipped tar archive. It reads all of it and keeps
// nothing.
func (a *allowance) archive(data []byte) error {
	if a.depth == 0 {
		return fmt.Errorf("%w: archives in archives, %d deep", errTooMuch, maxChartDepth)
	}
	a.depth--
	defer func() { a.depth++ }()
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	// The stream has headers, too: a million empty files are not nothing.
	entries := tar.NewReader(&counted{unzipped, a})
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// A sparse file is larger than its part of the stream.
		if entry.Size > maxChartFile {
			return fmt.Errorf("%w: %s has more than %d MB", errTooMuch, quote(entry.Name), maxChartFile>>20)
		}
		content, err := io.ReadAll(entries)
		if err != nil {
			return err
		}
		if err := a.file(entry.Name, content); err != nil {
			return err
		}
	}
}

// counted takes what is read off an allowance.
type counted struct {
	io.Reader
	left *allowance
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if over := c.left.take(0, int64(n)); over != nil {
		return n, over
	}
	return n, err
}
