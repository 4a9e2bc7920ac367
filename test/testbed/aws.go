package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/aws"
)

// pythonEnv makes the virtual environment that holds moto unless the cache
// has it, and returns its interpreter.
func pythonEnv(ctx context.Context, o Options) (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("the AWS emulator of the test bed (moto) needs python3 on the PATH")
	}
	version, err := exec.CommandContext(ctx, python, "-VV").Output()
	if err != nil {
		return "", fmt.Errorf("%s does not run: %w", python, err)
	}
	wanted, err := fs.ReadFile(aws.Files, "requirements.txt")
	if err != nil {
		return "", err
	}
	dir, err := cached(ctx, "moto", string(version)+string(wanted), func(dir string) error {
		o.say("installing the AWS emulator (moto) into a Python environment")
		list := filepath.Join(dir, "requirements.txt")
		if err := os.WriteFile(list, wanted, 0o644); err != nil {
			return err
		}
		return errors.Join(
			run(ctx, python, "-m", "venv", dir),
			run(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "-r", list),
		)
	})
	return filepath.Join(dir, "bin", "python"), err
}

// run runs a command of the set-up and shows its output if it fails.
func run(ctx context.Context, name string, args ...string) error {
	if output, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, output)
	}
	return nil
}

// startAWS starts moto in its wrapper. It takes some seconds to import;
// awaitAWS waits for it after the API server has used the same seconds.
func (b *Bed) startAWS(context.Context) error {
	ports, err := b.ports(1)
	if err != nil {
		return err
	}
	b.AWSEndpoint = local("http", ports[0])
	b.AWS = &AWSControl{endpoint: b.AWSEndpoint}
	b.partEnv = []string{
		"TESTBED_TOKEN_KEY=" + filepath.Join(b.Dir, "sa.pub"),
		"MOTO_IAM_LOAD_MANAGED_POLICIES=true",
		"PYTHONDONTWRITEBYTECODE=1",
	}
	arguments := []string{filepath.Join(b.Dir, "aws", aws.Main), strconv.Itoa(ports[0])}
	if b.Enforce {
		arguments = append(arguments, aws.Enforce)
	}
	b.AWS.process, err = b.start("aws", b.python, arguments...)
	b.partEnv = nil
	return err
}

// awaitAWS waits for moto and registers the cluster's issuer in IAM.
func (b *Bed) awaitAWS(ctx context.Context) error {
	err := b.AWS.process.await(ctx, startLimit, func(ctx context.Context) error {
		return getOK(ctx, http.DefaultClient, b.AWSEndpoint+"/testbed/log")
	})
	if err != nil || b.NoProvider {
		return err
	}
	_, err = b.IAM().CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url:            &b.Issuer,
		ClientIDList:   []string{"openshift", "sts.amazonaws.com"},
		ThumbprintList: []string{"0123456789012345678901234567890123456789"},
	})
	if err != nil {
		return fmt.Errorf("register the issuer in IAM: %w", err)
	}
	return nil
}
