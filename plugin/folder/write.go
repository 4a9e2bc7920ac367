package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// Write carries the plan out, and calls done after each change. A run that ends
// early leaves whole files only, and the next one does the rest: every file
// takes its place by a rename, and what is left over goes last, so that no list
// names a file that is gone.
func (p Plan) Write(ctx context.Context, done func(Change)) error {
	if len(p.Changes) == 0 {
		return nil
	}
	const mode = 0o777 // less what the umask takes away
	if err := os.MkdirAll(p.Dir, mode); err != nil {
		return unusable(p.Dir, err)
	}
	root, err := os.OpenRoot(p.Dir)
	if err != nil {
		return unusable(p.Dir, err)
	}
	defer root.Close()
	for _, change := range p.Changes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := change.make(root); err != nil {
			return problem.Fail(p.Name(change)+" cannot be written",
				reason(err),
				"mend that and run the command again: it does what is left to do").Because(err)
		}
		done(change)
	}
	return nil
}

func (c Change) make(root *os.Root) error {
	if c.State == LeftOver {
		return remove(root, c.Path)
	}
	const mode = 0o777
	if dir := path.Dir(c.Path); dir != "." {
		if err := root.MkdirAll(dir, mode); err != nil {
			return err
		}
	}
	return replace(root, c.Path, c.data)
}

// remove removes a file, and the directories that only held our files.
func remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if root.Remove(dir) != nil { // not empty: there is something of the user's in it
			return nil
		}
	}
	return nil
}

// replace puts a whole file in its place, or leaves what is there.
func replace(root *os.Root, name string, data []byte) error {
	const mode = 0o666 // less what the umask takes away
	temporary := layout.Temporary(name, strconv.Itoa(os.Getpid()))
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	// Without it a machine that loses its power may keep the name and not what is in it.
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}
