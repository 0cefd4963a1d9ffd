"""Names what goes into and comes out of the network: a file format, since SavedModels and records carry it."""

# A batch: what the network takes, and what it is trained on.
X0, X1, TIME = 'x0', 'x1', 'time'  # two images [B, H, W, 3] in [0, 1]; where between them [B, 1], 0.5 as published
Y = 'y'  # the true image between them
VGG = 'vgg'  # features of the image by VGG-19, a list, for losses
PATH = 'path'  # what names the example in its data set
FORWARD_FLOW, BACKWARD_FLOW = 'forward_flow', 'backward_flow'  # true flow x0 -> x1 and x1 -> x0, [B, H, W, 2]
MIDDLE_FLOW = 'middle_flow'  # true motion from x0 to x1 of what is seen in y, [B, H, W, 2]

# A prediction.
IMAGE = 'image'
X0_WARPED, X1_WARPED = 'x0_warped', 'x1_warped'
FORWARD_FLOW_PYRAMID, BACKWARD_FLOW_PYRAMID = 'forward_flow_pyramid', 'backward_flow_pyramid'
FORWARD_RESIDUAL_FLOW_PYRAMID = 'forward_residual_flow_pyramid'
BACKWARD_RESIDUAL_FLOW_PYRAMID = 'backward_residual_flow_pyramid'
FLOW_PYRAMIDS = (
  FORWARD_FLOW_PYRAMID, BACKWARD_FLOW_PYRAMID, FORWARD_RESIDUAL_FLOW_PYRAMID, BACKWARD_RESIDUAL_FLOW_PYRAMID
)  # fmt: skip

# What the network knows of one image alone.
FEATURES = 'features'
