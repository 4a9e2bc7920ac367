// Package pack makes a release out of executables that are already built: one
// archive for each platform, the file of their checksums, and the krew
// manifest with its holes filled. The same executables, documents and time
// give the same bytes on every machine. It never builds, uploads or signs.
package pack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/krew"
)

// Checksums is the name of the file that lists the sums, in the form that
// `sha256sum --check` reads.
const Checksums = "checksums.txt"

// Release says what to pack and where to put it.
type Release struct {
	Version  string    // vX.Y.Z
	Time     time.Time // the time of every file in the archives; whole seconds, UTC
	Binaries string    // holds <os>_<arch>/kubectl-ostoy_s3[.exe]
	Docs     string    // holds LICENSE and README.md, which go into every archive
	Out      string    // where the files are written; made if missing
}

// Write makes the release, and gives back the names of the files it wrote. The
// manifest is checked before it is written.
func (r Release) Write() ([]string, error) {
	if err := os.MkdirAll(r.Out, 0o755); err != nil {
		return nil, err
	}
	sums := map[krew.Platform]string{}
	var names []string
	var list strings.Builder
	for _, p := range krew.Platforms() {
		sum, err := r.archive(p)
		if err != nil {
			return nil, err
		}
		sums[p] = sum
		names = append(names, p.Archive())
		fmt.Fprintf(&list, "%s  %s\n", sum, p.Archive())
	}
	manifest, err := r.manifest(sums)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(r.Out, Checksums), []byte(list.String()), 0o644); err != nil {
		return nil, err
	}
	file := krew.Name + ".yaml"
	if err := os.WriteFile(filepath.Join(r.Out, file), manifest, 0o644); err != nil {
		return nil, err
	}
	return append(names, Checksums, file), nil
}

// archive writes one platform's archive and gives back its SHA-256 in hex.
func (r Release) archive(p krew.Platform) (string, error) {
	entries := []entry{
		{name: "LICENSE", from: filepath.Join(r.Docs, "LICENSE"), mode: 0o644},
		{name: "README.md", from: filepath.Join(r.Docs, "README.md"), mode: 0o644},
		{name: p.Bin(), from: filepath.Join(r.Binaries, p.OS+"_"+p.Arch, p.Bin()), mode: 0o755},
	}
	file, err := os.Create(filepath.Join(r.Out, p.Archive()))
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if err := writeArchive(io.MultiWriter(file, sum), p.Archive(), entries, r.Time.UTC()); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), file.Close()
}

// manifest fills the krew manifest and checks it as krew would.
func (r Release) manifest(sums map[krew.Platform]string) ([]byte, error) {
	data, err := krew.Fill(r.Version, sums)
	if err != nil {
		return nil, err
	}
	m, err := krew.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := krew.Validate(krew.Name+".yaml", m); err != nil {
		return nil, fmt.Errorf("krew would refuse the manifest:\n%w", err)
	}
	return data, nil
}

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
