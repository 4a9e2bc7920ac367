package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// chartFile is one file of a chart, by its path in it, with slashes.
type chartFile struct {
	name string
	data []byte
}

// Foreign is a chart of somebody else's, in practice ACK's s3-chart (FACTS 1.8).
// It may be used any number of times, at the same time too.
type Foreign struct {
	files                     []chartFile
	name, version, appVersion string
}

// Name is the chart's name, for example s3-chart.
func (c *Foreign) Name() string { return c.name }

// Version is the chart's own version, for example 1.10.0.
func (c *Foreign) Version() string { return c.version }

// AppVersion is the version of what the chart installs, empty where it does
// not say.
func (c *Foreign) AppVersion() string { return c.appVersion }

// LoadArchive reads a chart from a gzipped tar archive, as `helm package` and
// `helm pull` write it. Errors are *InputError and name --chart.
func LoadArchive(data []byte) (*Foreign, error) {
	if err := newAllowance().archive(data); err != nil {
		return nil, chartFault(err)
	}
	files, err := unpack(data)
	if err != nil {
		return nil, chartFault(err)
	}
	return newForeign(files)
}

// LoadDir reads a chart from its files; what its .helmignore names is left out,
// as by Helm. Errors are *InputError and name --chart.
func LoadDir(fsys fs.FS) (*Foreign, error) {
	files, err := readDir(fsys)
	if err != nil {
		return nil, chartFault(err)
	}
	return newForeign(files)
}

func newForeign(files []chartFile) (*Foreign, error) {
	name, version, appVersion, err := identify(files)
	if err != nil {
		return nil, chartFault(err)
	}
	return &Foreign{files, name, version, appVersion}, nil
}

// readDir reads all files, within the same limits as those of an archive.
func readDir(fsys fs.FS) ([]chartFile, error) {
	rules, err := readFile(fsys, ".helmignore")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ignored, err := ignorer(rules)
	if err != nil {
		return nil, fmt.Errorf(".helmignore: %w", err)
	}
	left := newAllowance()
	var files []chartFile
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		// Not the entry's own: a link is what it leads to.
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil:
			return err
		case ignored(name, info) && entry.IsDir():
			return fs.SkipDir
		case ignored(name, info) || entry.IsDir():
			return nil
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is not a regular file", name)
		}
		data, err := readFile(fsys, name)
		if err == nil {
			err = left.file(name, data)
		}
		files = append(files, chartFile{name, bytes.TrimPrefix(data, []byte("\ufeff"))})
		return err
	})
	return files, err
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxChartFile+1))
	if err == nil && len(data) > maxChartFile {
		err = fmt.Errorf("%w: %s has more than %d MB", errTooMuch, name, maxChartFile>>20)
	}
	return data, err
}

// chartFault words why a chart cannot be used. The texts of the libraries may
// quote the chart: one line of it.
func chartFault(err error) error {
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	const most = 400
	if len(text) > most {
		text = append(text[:most], []rune("...")...)
	}
	return &InputError{
		What: "--chart",
		Why:  "it cannot be used as a Helm chart: " + string(text),
		Next: "helm template shows more about it; helm pull oci://public.ecr.aws/aws-controllers-k8s/s3-chart downloads the chart of ACK",
		Err:  err,
	}
}
