package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// kubernetesVersion is the control plane's, and has to agree with go.mod.
const kubernetesVersion = "v1.37.2"

// binaries are the executables of a bed, by command.
type binaries map[string]string

// commands are the names the control plane executable answers to.
func commands() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"}
}

// controlPlane builds the control plane unless the cache has it, and links
// its commands by name. KUBEBUILDER_ASSETS takes precedence for what it has.
func controlPlane(ctx context.Context, o Options) (binaries, error) {
	module, err := ModuleDir()
	if err != nil {
		return nil, err
	}
	key, err := controlPlaneKey(module)
	if err != nil {
		return nil, err
	}
	dir, err := cached(ctx, "controlplane", key, func(dir string) error {
		o.say("building kube-apiserver %s and the rest of the control plane (about 10 minutes the first time)", kubernetesVersion)
		return buildControlPlane(ctx, module, dir)
	})
	if err != nil {
		return nil, err
	}
	found := binaries{}
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	for _, name := range commands() {
		found[name] = filepath.Join(dir, name)
		if ready := filepath.Join(assets, name); assets != "" && exists(ready) {
			found[name] = ready
		}
	}
	return found, nil
}

// controlPlaneKey changes when the executable would: with the versions of what
// it links, its sources, the toolchain and the machine.
func controlPlaneKey(module string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	key := runtime.Version() + runtime.GOOS + runtime.GOARCH + kubernetesVersion
	for line := range strings.Lines(string(mod)) {
		for _, name := range []string{"k8s.io/kubernetes v", "go.etcd.io/etcd/server/v3 v", "sigs.k8s.io/kwok v"} {
			if strings.Contains(line, name) {
				key += strings.TrimSpace(line)
			}
		}
	}
	sources, err := filepath.Glob(filepath.Join(module, "controlplane", "*.go"))
	if err != nil {
		return "", err
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		key += string(text)
	}
	return key, nil
}

// buildControlPlane compiles, and links each command's name to the result.
func buildControlPlane(ctx context.Context, module, dir string) error {
	flags := []string{"-s", "-w"}
	parts := strings.SplitN(strings.TrimPrefix(kubernetesVersion, "v"), ".", 3)
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+kubernetesVersion,
			"-X", pkg+".gitMajor="+parts[0],
			"-X", pkg+".gitMinor="+parts[1],
			"-X", pkg+".gitTreeState=clean",
		)
	}
	// A version has a commit and a date; ours come from a module, not a clone.
	flags = append(flags, "-X", "k8s.io/component-base/version.gitCommit=module")
	if err := goBuild(ctx, module, filepath.Join(dir, "controlplane"), "./controlplane", "-ldflags="+strings.Join(flags, " ")); err != nil {
		return err
	}
	for _, name := range commands() {
		if err := os.Symlink("controlplane", filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// goBuild compiles one package of the test module.
func goBuild(ctx context.Context, module, out, pkg string, flags ...string) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("the test bed compiles its control plane and needs go on the PATH")
	}
	args := append([]string{"build", "-o", out}, flags...)
	cmd := exec.CommandContext(ctx, goTool, append(args, pkg)...)
	cmd.Dir = module
	// GOFLAGS of a surrounding build (-mod=mod, -race) are not meant for this.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, output)
	}
	return nil
}
