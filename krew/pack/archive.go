package pack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// entry is one file of an archive: its name there, the file its bytes come
// from, and its mode.
type entry struct {
	name string
	from string
	mode os.FileMode
}

// writeArchive writes the entries in the order given, as .zip or .tar.gz by
// the name of the archive. Nothing of this machine gets in: every entry has
// the one time, and no owner.
func writeArchive(w io.Writer, name string, entries []entry, at time.Time) error {
	if strings.HasSuffix(name, ".zip") {
		return writeZip(w, entries, at)
	}
	return writeTarGz(w, entries, at)
}

func writeTarGz(w io.Writer, entries []entry, at time.Time) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		err := e.open(func(f io.Reader, size int64) error {
			header := &tar.Header{
				Format: tar.FormatUSTAR, Typeflag: tar.TypeReg,
				Name: e.name, Size: size, Mode: int64(e.mode.Perm()), ModTime: at,
			}
			if err := archive.WriteHeader(header); err != nil {
				return err
			}
			_, err := io.Copy(archive, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

func writeZip(w io.Writer, entries []entry, at time.Time) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		err := e.open(func(f io.Reader, _ int64) error {
			header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
			header.SetMode(e.mode)
			to, err := archive.CreateHeader(header)
			if err != nil {
				return err
			}
			_, err = io.Copy(to, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

// open hands the bytes of the entry and their number to use.
func (e entry) open(use func(r io.Reader, size int64) error) error {
	f, err := os.Open(e.from)
	if err != nil {
		return fmt.Errorf("pack %s: %w", e.name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("pack %s: %w", e.name, err)
	}
	if err := use(f, info.Size()); err != nil {
		return fmt.Errorf("pack %s: %w", e.name, err)
	}
	return nil
}
