package plugin

import (
	"cmp"
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// whereInstalled is the account of the install, and its partition: given by flag, or
// those of the caller. Nothing that the project says is a source. Either is "" if it is
// not known.
func whereInstalled(given render.Facts, caller detect.Identity, region string) (account, partition string) {
	if !given.Account.Known() {
		return caller.Account, caller.Partition
	}
	if caller.Account == given.Account.Value {
		return caller.Account, caller.Partition
	}
	return given.Account.Value, render.PartitionOf(cmp.Or(given.Region.Value, region))
}

// verifyFlags are the flags that you gave to say which install is meant: a command that
// verifies or installs it again repeats them.
func verifyFlags(facts FactsRequest, role RoleRequest) verify.Flags {
	var flags verify.Flags
	for _, one := range (verify.Flags{
		{Name: "--profile", Value: facts.Profile},
		{Name: "--account-id", Value: facts.Given.Account.Value},
		{Name: "--region", Value: facts.Given.Region.Value},
		{Name: "--audience", Value: facts.Given.Audience.Value},
		{Name: "--role-name", Value: role.Name},
		{Name: "--role-path", Value: role.Path},
	}) {
		if one.Value != "" {
			flags = append(flags, one)
		}
	}
	return flags
}

// roleOfInstall is for verify.Target: the role that flags name, or that install computes
// for an issuer. If the pods have another role of the account, IAM is asked whether that
// one is this project's, as that of an install with --role-name is, or an adopted one.
//
// unknown, which may be nil, is why the caller is not known. That nobody gave
// credentials is no failure.
func roleOfInstall(target verify.Target, flags RoleRequest, unknown error) func(context.Context, string, render.ARN) (render.ARN, error) {
	if errors.Is(unknown, detect.ErrNoCredentials) {
		unknown = nil
	}
	return func(ctx context.Context, issuer string, claimed render.ARN) (render.ARN, error) {
		if target.Account == "" || target.Partition == "" {
			return render.ARN{}, unknown
		}
		facts := render.Facts{
			Namespace: render.Fact{Value: target.Namespace}, Issuer: render.Fact{Value: issuer},
			Account: render.Fact{Value: target.Account}, Partition: render.Fact{Value: target.Partition},
		}
		role, err := render.ParseARNOf(iam.ARN(facts, RoleRequest{Name: flags.Name, Path: flags.Path}), "iam", "role")
		if err != nil {
			return render.ARN{}, err
		}
		given := flags.Name != "" || flags.Path != ""
		// The hash of the issuer and the namespace in the name shows as much as that in the
		// name of a new role.
		earlier := iam.ARN(facts, RoleRequest{Name: render.EarlierRoleName(issuer, target.Namespace), Path: flags.Path})
		if flags.Name == "" && claimed.String() == earlier {
			return claimed, nil
		}
		if given || claimed == (render.ARN{}) || claimed == role || target.CallerAccount != target.Account {
			return role, nil
		}
		config := target.AWS.Copy()
		config.Region = cmp.Or(target.Region, config.Region, "us-east-1") // IAM of the partition aws is the same everywhere
		its, err := iam.ClaimedBy(ctx, iam.New(config), claimed, facts)
		if its {
			role = claimed
		}
		return role, err
	}
}
