#!/usr/bin/env bash
# FILM as published on a slice of a TPU pod: makes it, installs film_tf on all its hosts, and starts the run. TensorFlow
# drives a pod from the first host; --tpu is the slice's name. Data and checkpoints are in a bucket.
set -eu
NAME=film ZONE=us-central2-b TYPE=v4-16 BUCKET=gs://my-bucket
VERSION=tpu-vm-tf-2.19.0-pod-pjrt      # an image for pods; film_tf brings its own tensorflow-tpu

gcloud compute tpus tpu-vm create $NAME --zone=$ZONE --accelerator-type=$TYPE --version=$VERSION --spot
gcloud compute tpus tpu-vm scp --recurse . $NAME:film_tf --zone=$ZONE --worker=all
gcloud compute tpus tpu-vm ssh $NAME --zone=$ZONE --worker=all --command="
  cd film_tf && python3 -m venv .venv && .venv/bin/pip install -q '.[tpu,data]'"
gcloud compute tpus tpu-vm ssh $NAME --zone=$ZONE --worker=0 --command="
  cd film_tf && TPU_LOAD_LIBRARY=0 nohup .venv/bin/python -m film_tf.train --tpu=$NAME \
    --gin_configs=gin/film_l1.gin --base_dir=$BUCKET/runs/film_l1 \
    --gin_bindings=\"data.sources = {'$BUCKET/vimeo90k_train@200': 1.0}\" \
    --gin_bindings=\"train.batch_size = 64\" \
    --gin_bindings=\"train.inner_steps = 100\" \
    --gin_bindings=\"train.precision = 'mixed_bfloat16'\" > train.log 2>&1 &"
echo "watch it: gcloud compute tpus tpu-vm ssh $NAME --zone=$ZONE --worker=0 --command='tail -f film_tf/train.log'"
