package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// identify makes sure that the credentials are those of the account that the
// manifests name, where the account was given by hand: a role made in another
// account would be of no use, and nobody would look for it there.
func (a *App) identify(ctx context.Context, found *detect.Result, profile string) (err error) {
	if found.AWS == nil {
		options := detect.AWSOptions{Profile: profile, Region: found.Facts.Region.Value}
		if found.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return err
		}
	}
	if found.Caller != "" {
		return nil
	}
	identity, err := found.AWS.Identity(ctx)
	if err != nil {
		return err
	}
	found.Caller = identity.Caller
	account, partition := found.Facts.Account, found.Facts.Partition
	if account.Known() && (account.Value != identity.Account || partition.Known() && partition.Value != identity.Partition) {
		return &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("the AWS credentials are of account %s in partition %s", identity.Account, identity.Partition),
			Why:  fmt.Sprintf("the install is for account %s in partition %s (%s)", account.Value, partition.Value, account.Source),
			Next: "choose other credentials with --profile, or leave out --account-id and --partition",
		}
	}
	return nil
}
