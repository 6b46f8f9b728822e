"""The paper's networks in JAX, from their descriptions (docs/models.md), and nothing shared with OnEdge.

A network is a function of a lookup `tensor(name, shape)` and of the samples x: [n, height, width, channels], [n, features]
or, for nanolm, integers [n, length]. It returns the logits, [n, classes] or [n, length, classes]. `section` is the
section `model` of a deck.
"""

import jax
import jax.numpy as jnp
import numpy as np

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": lambda x: jax.nn.gelu(x, approximate=True),
    "gelu_erf": lambda x: jax.nn.gelu(x, approximate=False),
    "elu": jax.nn.elu,
}


def dense(tensor, name, x, out):
    return x @ tensor(f"{name}/kernel", (x.shape[-1], out)) + tensor(f"{name}/bias", (out,))


def layer_norm(tensor, name, x):
    width = x.shape[-1]
    centred = x - jnp.mean(x, -1, keepdims=True)
    normal = centred / jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-6)
    return normal * tensor(f"{name}/scale", (width,)) + tensor(f"{name}/bias", (width,))


def convolution(tensor, name, x, out, size, stride=1, padding=0):
    kernel = tensor(f"{name}/kernel", (size, size, x.shape[-1], out))
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST,
    )


def max_pool(x, size, stride, padding):
    """The first of equals wins, also in derivatives."""
    padded = jnp.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)], constant_values=-jnp.inf)
    down, across = ((padded.shape[axis] - size) // stride + 1 for axis in (1, 2))
    views = [
        padded[:, a : a + stride * (down - 1) + 1 : stride, b : b + stride * (across - 1) + 1 : stride]
        for a in range(size)
        for b in range(size)
    ]
    stack = jnp.stack(views)
    winner = jnp.argmax(jax.lax.stop_gradient(stack), axis=0)
    return jnp.take_along_axis(stack, winner[None], axis=0)[0]


def attention(tensor, name, x, heads, width, causal):
    depth, features = width // heads, x.shape[-1]

    def project(part):
        kernel = tensor(f"{name}/{part}/kernel", (features, heads, depth))
        return jnp.einsum("btf,fhd->bhtd", x, kernel) + tensor(f"{name}/{part}/bias", (heads, depth))[:, None, :]

    query, key, value = project("query"), project("key"), project("value")
    scores = jnp.einsum("bhqd,bhkd->bhqk", query / np.sqrt(depth).astype(x.dtype), key)
    if causal:
        scores = jnp.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, jnp.finfo(x.dtype).min)
    mixed = jnp.einsum("bhqk,bhkd->bqhd", jax.nn.softmax(scores, axis=-1), value)
    kernel = tensor(f"{name}/out/kernel", (heads, depth, features))
    return jnp.einsum("bqhd,hdf->bqf", mixed, kernel) + tensor(f"{name}/out/bias", (features,))


def mlp_block(tensor, name, x, width, activation):
    hidden = activation(dense(tensor, f"{name}/Dense_0", x, width))
    return dense(tensor, f"{name}/Dense_1", hidden, x.shape[-1])


def mlp(section, tensor, x, classes):
    hidden = section.get("hidden", [256, 256]) if section["kind"] == "mlp" else []
    x = x.reshape(len(x), -1)
    for layer, width in enumerate(hidden):
        x = ACTIVATIONS[section.get("activation", "relu")](dense(tensor, f"dense_{layer}", x, width))
    return dense(tensor, f"dense_{len(hidden)}", x, classes)


def resnet(section, tensor, x, classes):
    bottleneck = section["kind"] == "resnet50"
    scenic = section.get("projection", "scenic") == "scenic"
    activation = ACTIVATIONS[section.get("activation", "relu")]

    def norm(name, y):
        return layer_norm(tensor, name, y) if bottleneck else y

    filters = section.get("filters", 64)
    x = max_pool(activation(norm("init_ln", convolution(tensor, "stem_conv", x, filters, 7, 2, 3))), 3, 2, 1)
    index = 0
    for stage, blocks in enumerate(section.get("blocks", [3, 4, 6, 3])):
        for block in range(blocks):
            name, stride = f"ResidualBlock_{index}", 2 if stage > 0 and block == 0 else 1
            out = 4 * filters if bottleneck else filters
            shortcut, y = x, x
            if stride != 1 or x.shape[-1] != (4 * filters if scenic else out):
                shortcut = norm(f"{name}/proj_ln", convolution(tensor, f"{name}/proj_conv", x, out, 1, stride))
            if bottleneck:
                y = activation(norm(f"{name}/ln1", convolution(tensor, f"{name}/conv1", y, filters, 1)))
            y = activation(norm(f"{name}/ln2", convolution(tensor, f"{name}/conv2", y, filters, 3, stride, 1)))
            last = (1, 1, 0) if bottleneck else (3, 1, 1)
            y = norm(f"{name}/ln3", convolution(tensor, f"{name}/conv3", y, out, *last))
            x = activation(shortcut + y)
            index += 1
        filters *= 2
    return dense(tensor, "output_projection", jnp.mean(x, axis=(1, 2)), classes)


def patches(section, tensor, x, patch):
    width = section.get("width", 192)
    size = section.get("patch", patch)
    x = convolution(tensor, "embedding", x, width, size, size) + tensor("embedding/bias", (width,))
    return x.reshape(len(x), -1, width)


def mixer(section, tensor, x, classes):
    activation = ACTIVATIONS[section.get("activation", "gelu")]
    x = patches(section, tensor, x, 8)
    for block in range(section.get("depth", 12)):
        name = f"mixerblock_{block}"
        tokens = jnp.swapaxes(layer_norm(tensor, f"{name}/LayerNorm_0", x), 1, 2)
        mixed = mlp_block(tensor, f"{name}/token_mixing", tokens, section.get("token_width", 96), activation)
        x = x + jnp.swapaxes(mixed, 1, 2)
        channels = layer_norm(tensor, f"{name}/LayerNorm_1", x)
        x = x + mlp_block(tensor, f"{name}/channel_mixing", channels, section.get("channel_width", 768), activation)
    x = layer_norm(tensor, "pre_logits_norm", x)
    return dense(tensor, "output_projection", jnp.mean(x, axis=1), classes)


def vit(section, tensor, x, classes):
    activation = ACTIVATIONS[section.get("activation", "gelu")]
    x = patches(section, tensor, x, 32)
    n, _, width = x.shape
    if section.get("classifier", "token") == "token":
        x = jnp.concatenate([jnp.broadcast_to(tensor("cls", (1, 1, width)), (n, 1, width)), x], axis=1)
    x = x + tensor("Transformer/posembed_input/pos_embedding", (1, *x.shape[1:]))
    for block in range(section.get("depth", 12)):
        name = f"Transformer/encoderblock_{block}"
        normal = layer_norm(tensor, f"{name}/LayerNorm_0", x)
        x = x + attention(tensor, f"{name}/MultiHeadDotProductAttention_0", normal, section.get("heads", 3), width, False)
        normal = layer_norm(tensor, f"{name}/LayerNorm_1", x)
        x = x + mlp_block(tensor, f"{name}/MlpBlock_0", normal, section.get("mlp_width", 768), activation)
    x = layer_norm(tensor, "Transformer/encoder_norm", x)
    x = x[:, 0] if section.get("classifier", "token") == "token" else jnp.mean(x, axis=1)
    if section.get("representation", "none") != "none":
        x = jnp.tanh(dense(tensor, "pre_logits", x, section["representation"]))
    return dense(tensor, "output_projection", x, classes)


def nanolm(section, tensor, x, classes):
    activation = ACTIVATIONS[section.get("activation", "relu")]
    width, depth = section.get("width", 256), section.get("depth", 6)
    heads, attention_width = section.get("heads", 8), section.get("attention_width", 32)
    x = tensor("Embed_0/embedding", (classes, width))[x] + tensor("Embed_1/embedding", (x.shape[1], width))
    for block in range(depth):
        normal = layer_norm(tensor, f"LayerNorm_{2 * block}", x)
        x = x + attention(tensor, f"MultiHeadDotProductAttention_{block}", normal, heads, attention_width, True)
        normal = layer_norm(tensor, f"LayerNorm_{2 * block + 1}", x)
        hidden = activation(dense(tensor, f"Dense_{2 * block}", normal, section.get("mlp_width", 1024)))
        x = x + dense(tensor, f"Dense_{2 * block + 1}", hidden, width)
    return dense(tensor, f"Dense_{2 * depth}", layer_norm(tensor, f"LayerNorm_{2 * depth}", x), classes)


NETWORKS = {
    "mlp": mlp, "linear": mlp, "resnet34": resnet, "resnet50": resnet, "mixer_ti8": mixer, "vit_ti32": vit,
    "nanolm": nanolm,
}


def logits(section, tensors, x, classes):
    """tensors: a mapping from names; each must have the shape that the network expects."""

    def tensor(name, shape):
        assert tensors[name].shape == tuple(shape), f"{name}: {tensors[name].shape}, expected {shape}"
        return tensors[name]

    return NETWORKS[section["kind"]](section, tensor, x, classes)


def head(section):
    """The name of the last dense layer."""
    if section["kind"] == "nanolm":
        return f"Dense_{2 * section.get('depth', 6)}"
    if section["kind"] in ("mlp", "linear"):
        return f"dense_{len(section.get('hidden', [256, 256])) if section['kind'] == 'mlp' else 0}"
    return "output_projection"


def shapes(section, sample, classes):
    """{name: shape} of the tensors of a network for samples of that shape, without computing anything."""
    found = {}

    def record(name, shape):
        found[name] = tuple(shape)
        return jnp.zeros(shape, jnp.float64)

    kind = jnp.int32 if section["kind"] == "nanolm" else jnp.float64
    jax.eval_shape(
        lambda x: NETWORKS[section["kind"]](section, record, x, classes), jax.ShapeDtypeStruct((1, *sample), kind)
    )
    return found
