'use strict';
// Ends when the bucket answers under this pod's identity: OSToy looks for it
// only once, when it starts, and does not print why it failed.
// AWS_ENDPOINT_URL (S3 and STS elsewhere) and WAIT_FOR_BUCKET_TERMINATION_LOG
// are for tests against an emulator.
const fs = require('fs');
const env = process.env;
const bucket = env.NAMESPACE + '-bucket';
const limit = Number(env.WAIT_FOR_BUCKET_SECONDS) || 60;
const terminationLog = env.WAIT_FOR_BUCKET_TERMINATION_LOG || '/dev/termination-log';
const started = Date.now();
const elapsed = () => Math.floor((Date.now() - started) / 1000);
const say = (text) => console.log('wait-for-bucket: ' + text);

// The termination log stands in the pod's status, for those who may not read logs.
function giveUp(text) {
  say(text);
  try {
    fs.writeFileSync(terminationLog, text.slice(0, 4000) + '\n');
  } catch (err) {
    say('cannot write ' + terminationLog + ': ' + err.code);
  }
  process.exit(1);
}

// As process 1 node would not end at SIGTERM by itself.
process.once('SIGTERM', () => process.exit(143));
env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';

let AWS;
try {
  AWS = require('aws-sdk');
} catch (err) {
  say('no usable aws-sdk in ' + process.cwd() + ' or NODE_PATH (' + (err.code || err.name) + '), so the bucket cannot be looked up; OSToy starts now and may miss it');
  process.exit(0);
}

const tokenFile = env.AWS_WEB_IDENTITY_TOKEN_FILE;
if (!env.AWS_ROLE_ARN || !tokenFile) {
  // The environment of a pod never changes, so waiting would be in vain.
  giveUp('NoIdentity: this pod has no AWS role, ' + (tokenFile ? 'AWS_ROLE_ARN' : 'AWS_WEB_IDENTITY_TOKEN_FILE') + ' is not set. ' +
    'The pod identity webhook missed it when it was created, and a restart of the container does not mend that. ' +
    'Delete the pod, a new one takes its place: oc delete pod ' + env.HOSTNAME + ' -n ' + env.NAMESPACE +
    '. Or install with podIdentity=projected, which needs no webhook.');
}
if (!fs.existsSync(tokenFile)) {
  giveUp('NoIdentity: this pod has no token, there is no file ' + tokenFile + '. ' +
    'The volume aws-iam-token is not mounted where AWS_WEB_IDENTITY_TOKEN_FILE says. Put the Deployment back: oc ostoy-s3 install -n ' + env.NAMESPACE);
}

const mend = ' Mend it: oc ostoy-s3 install -n ' + env.NAMESPACE;
const network = 'This pod does not reach STS or S3: look at egress rules and VPC endpoints.';
const hints = {
  NotFound: 'There is no such bucket. Why it was not made: oc describe buckets.s3.services.k8s.aws ' + bucket + ' -n ' + env.NAMESPACE,
  Forbidden: 'The role lacks s3:ListBucket on the bucket, or the bucket belongs to another account.' + mend,
  AccessDenied: 'The role does not exist, or does not trust system:serviceaccount:' + env.NAMESPACE + ':ostoy-sa with the audience of this token.' + mend,
  InvalidIdentityToken: 'IAM has no OIDC provider for this cluster, or the provider does not know the audience of this token.' + mend,
  NetworkingError: network,
  TimeoutError: network,
  UnknownEndpoint: network,
};

// Few seconds each, so that a dead network shows as an error and not as silence.
const options = { maxRetries: 0, httpOptions: { connectTimeout: 3000, timeout: 8000 } };
if (env.AWS_ENDPOINT_URL) {
  options.endpoint = env.AWS_ENDPOINT_URL;
  options.s3ForcePathStyle = true;
}

// AWS's words for what does not pass: while IAM spreads a change it says that nothing allows
// the call yet, never that a policy denies it.
const forGood = /with an explicit deny|because no (service control|resource control|VPC endpoint) policy allows/;

// Only the pod's own role counts: the SDK's default chain would go on to the
// role of the node and report that one's error.
let credentials;
let s3;
async function look() {
  let step = 'AssumeRoleWithWebIdentity ' + env.AWS_ROLE_ARN;
  try {
    if (!s3) {
      credentials = new AWS.TokenFileWebIdentityCredentials(options);
      s3 = new AWS.S3(Object.assign({ credentials }, options));
    }
    await credentials.getPromise();
    step = 'HeadBucket ' + bucket;
    await s3.headBucket({ Bucket: bucket }).promise();
    return null;
  } catch (err) {
    const code = err.code || err.name || 'Error';
    // HeadBucket's refusals have no text; those of a list, which needs the same permission, do.
    if (err.statusCode === 403 && step.startsWith('HeadBucket')) {
      const list = await s3.listObjectsV2({ Bucket: bucket, MaxKeys: 1 }).promise().catch((refused) => refused);
      if (forGood.test(list.message)) {
        err.message = list.message;
      }
    }
    // Whatever an endpoint says, a token is never repeated.
    const text = String(err.message || (err.statusCode ? 'HTTP ' + err.statusCode : 'no text'))
      .replace(/\s+/g, ' ').replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>');
    return { code, stays: forGood.test(text), what: code + ' from ' + step + ': ' + text };
  }
}

(async () => {
  let before = '';
  for (let pause = 500; ; pause = Math.min(pause * 1.25, 5000)) {
    const refused = await look();
    if (!refused) {
      say(bucket + ' answers after ' + elapsed() + ' s');
      process.exit(0);
    }
    if (refused.stays) {
      giveUp(refused.what + '. This does not pass by waiting.');
    }
    const left = limit - elapsed();
    if (left <= 0) {
      giveUp(refused.what + ' (for ' + elapsed() + ' s). ' + (hints[refused.code] || mend.trim()));
    }
    if (refused.what !== before) {
      say(refused.what + '; trying for ' + left + ' s more');
      before = refused.what;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left * 1000)));
  }
  // Old versions of node end with 0 here, and OSToy would start without its bucket.
})().catch((err) => giveUp('Error from wait-for-bucket itself: ' + err.name));
