package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// facts are all that render needs to know to ask nobody.
func facts() []string {
	return []string{
		"-n", "demo", "--account-id", testbed.Account, "--region", testbed.Region, "--platform", "rosa-hcp",
		"--oidc-issuer", "https://oidc.op1.openshiftapps.com/2abcdefghijklmnopqrstuvwxyz01234",
		"--api-versions", "route.openshift.io/v1",
	}
}

// processes compares the executable with helm, each doing the same work.
func (b *bench) processes(ctx context.Context) error {
	tools, err := testbed.Tools(ctx, os.Stderr, "")
	if err != nil {
		return err
	}
	values := filepath.Join(b.dir, "values.yaml")
	computed := exec.CommandContext(ctx, b.tool, append([]string{"values"}, facts()...)...)
	computed.Env = b.offline()
	text, err := computed.Output()
	if err != nil {
		return fmt.Errorf("values of the chart: %w", err)
	}
	if err := os.WriteFile(values, text, 0o644); err != nil {
		return err
	}
	helm, chart := filepath.Join(tools, "helm"), filepath.Join(b.module, "..", "charts", "ostoy-s3")
	runs, err := b.meter.Run(ctx, b.rounds,
		b.command(append([]string{b.tool, "render"}, facts()...)...),
		b.command(helm, "template", "ostoy-s3", chart, "--namespace", "demo", "--values", values),
		b.command(b.tool, "version", "--client"),
		b.command(helm, "version"),
	)
	if err != nil {
		return err
	}
	const renderCPU, renderMemory, versionCPU = 0.5, 0.6, 0.6
	b.rows = append(b.rows,
		cpuRow("render, CPU", runs[0], runs[1], "helm template", renderCPU),
		memoryRow("render, peak memory", runs[0], runs[1], "helm template", renderMemory),
		cpuRow("version --client, CPU", runs[2], runs[3], "helm version", versionCPU),
	)
	return nil
}

func (b *bench) command(args ...string) measure.Command {
	return measure.Command{Args: args, Env: b.offline(), Dir: b.dir}
}

// offline is an environment with neither cluster nor AWS nor a home.
func (b *bench) offline() []string {
	return []string{"HOME=" + b.dir, "KUBECONFIG=" + filepath.Join(b.dir, "none"), "PATH=", "AWS_EC2_METADATA_DISABLED=true"}
}

func cpuRow(what string, ours, theirs []measure.Usage, against string, bound float64) row {
	a, b := measure.MedianCPU(ours), measure.MedianCPU(theirs)
	ratio := float64(a) / float64(b)
	text := fmt.Sprintf("%.2f × (%d ms against %d ms)", ratio, a.Round(time.Millisecond).Milliseconds(), b.Round(time.Millisecond).Milliseconds())
	return row{what, text, ratio, bound, "× " + against}
}

func memoryRow(what string, ours, theirs []measure.Usage, against string, bound float64) row {
	const mega = 1 << 20
	a, b := measure.MedianMemory(ours), measure.MedianMemory(theirs)
	ratio := float64(a) / float64(b)
	return row{what, fmt.Sprintf("%.2f × (%d MiB against %d MiB)", ratio, a/mega, b/mega), ratio, bound, "× " + against}
}
