#!/usr/bin/env bash
# FILM as published on two nodes of four GPUs; tasks find each other by SLURM's own variables.
#SBATCH --job-name=film
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120     # two minutes before the end: the run saves, and ends well
#SBATCH --requeue
set -eu
export TFDS_DATA_DIR=/shared/data
srun .venv/bin/python -m film_tf.train --strategy=multi_worker \
  --gin_configs=gin/film_l1.gin --base_dir=/shared/runs/film_l1 \
  --gin_bindings="data.sources = {'tfds:vimeo90k_triplet:train': 1.0}" \
  --gin_bindings="train.precision = 'mixed_bfloat16'"
