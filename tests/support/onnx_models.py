"""Small ONNX models, made for one test: a line with softmax, raw scores, a tree, and a scikit-learn-like mapping."""

import onnx
from onnx import TensorProto, helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


def _save(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializer=list(constants))
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _rows(name, width, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, [None, width])


def linear(weights, biases, *, softmax=True, double=False):
    """Return a model of scores = x W + b, of shape (features, classes), with softmax or without."""
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    width, count = len(weights), len(biases)
    constants = [
        helper.make_tensor("W", kind, [width, count], [value for row in weights for value in row]),
        helper.make_tensor("b", kind, [count], biases),
    ]
    scores = "scores" if softmax else "out"
    nodes = [helper.make_node("MatMul", ["x", "W"], ["m"]), helper.make_node("Add", ["m", "b"], [scores])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["scores"], ["out"], axis=1))
    return _save(nodes, [_rows("x", width, kind)], [_rows("out", count, kind)], constants)


def stump(width, feature, threshold):
    """Return a tree of one split in scikit-learn's form, label and mapping: "rare" above the threshold, or unknown."""
    trees = helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "raw"],
        domain="ai.onnx.ml",
        classlabels_strings=["usual", "rare"],
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[feature, 0, 0],
        nodes_values=[threshold, 0.0, 0.0],
        nodes_hitrates=[1.0, 1.0, 1.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[0, 0, 0],
        class_treeids=[0, 0, 0, 0],
        class_nodeids=[1, 1, 2, 2],
        class_ids=[0, 1, 0, 1],
        class_weights=[0.9, 0.1, 0.2, 0.8],
        post_transform="NONE",
    )
    mapping = helper.make_node(
        "ZipMap", ["raw"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=["usual", "rare"]
    )
    per_class = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
        helper.make_value_info("probabilities", helper.make_sequence_type_proto(per_class)),
    ]
    return _save([trees, mapping], [_rows("x", width)], outputs)


def two_inputs():
    """Return a model that no single row of features fits."""
    return _save([helper.make_node("Add", ["x", "y"], ["out"])], [_rows("x", 1), _rows("y", 1)], [_rows("out", 1)])
