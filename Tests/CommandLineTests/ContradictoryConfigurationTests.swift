// Configurations that contradict the weights, each other, or what is implemented.
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ContradictoryConfigurationTests {
    struct Change: CustomTestStringConvertible {
        let file: String
        let field: String
        /// JSON.
        let value: String

        init(_ file: String, _ field: String, _ value: String) {
            (self.file, self.field, self.value) = (file, field, value)
        }

        var testDescription: String { "\(file) \(field) \(value.prefix(30))" }
    }

    static let transformer = [
        ("dim", "72"), ("dim", "0"), ("dim", "-36"), ("dim", "\"36\""), ("dim", "36.5"),
        ("dim", "1e30"), ("dim", "99999999"), ("n_layers", "4"), ("n_layers", "2"),
        ("n_layers", "-1"), ("n_refiner_layers", "0"), ("n_refiner_layers", "3"),
        ("n_heads", "4"), ("n_heads", "0"), ("in_channels", "8"), ("cap_feat_dim", "41"),
        ("axes_dims", "[4, 4]"), ("axes_dims", "[4, 4, 6]"), ("axes_dims", "[3, 5, 4]"),
        ("axes_dims", "[]"), ("axes_dims", "[-4, 12, 4]"), ("axes_lens", "[1536, 512]"),
        ("axes_lens", "[0, 0, 0]"), ("axes_lens", "[99999999999, 512, 512]"),
        ("axes_lens", "[1536, -1, 512]"), ("qk_norm", "false"), ("qk_norm", "\"yes\""),
        ("rope_theta", "0"), ("rope_theta", "-1"), ("t_scale", "0"), ("norm_eps", "-1"),
        ("all_patch_size", "[4]"), ("all_patch_size", "[]"), ("siglip_feat_dim", "1152"),
        ("_class_name", "\"FluxTransformer2DModel\""),
    ].map { Change("transformer/config.json", $0, $1) }

    static let textEncoder = [
        ("hidden_size", "48"), ("hidden_size", "0"), ("num_hidden_layers", "2"),
        ("num_hidden_layers", "4"), ("num_hidden_layers", "0"), ("num_attention_heads", "5"),
        ("num_attention_heads", "0"), ("num_key_value_heads", "4"), ("num_key_value_heads", "0"),
        ("head_dim", "8"), ("head_dim", "15"), ("intermediate_size", "80"), ("vocab_size", "600"),
        ("vocab_size", "99999999999"), ("attention_bias", "true"), ("hidden_act", "\"gelu\""),
        ("rms_norm_eps", "\"small\""), ("model_type", "\"llama\""), ("use_sliding_window", "true"),
        ("rope_parameters", "{\"rope_type\": \"yarn\", \"rope_theta\": 10000.0, \"factor\": 4}"),
    ].map { Change("text_encoder/config.json", $0, $1) }

    static let autoencoder = [
        ("block_out_channels", "[8, 8, 16]"), ("block_out_channels", "[]"),
        ("block_out_channels", "[8, 8, 16, 18]"), ("block_out_channels", "8"),
        ("latent_channels", "8"), ("latent_channels", "0"), ("layers_per_block", "2"),
        ("layers_per_block", "-1"), ("norm_num_groups", "3"), ("norm_num_groups", "0"),
        ("scaling_factor", "0"), ("scaling_factor", "\"big\""), ("act_fn", "\"relu\""),
        ("use_quant_conv", "true"), ("use_post_quant_conv", "true"),
        ("mid_block_add_attention", "false"), ("in_channels", "4"), ("out_channels", "1"),
        ("down_block_types", "[\"AttnDownEncoderBlock2D\"]"),
        ("_class_name", "\"AutoencoderTiny\""),
    ].map { Change("vae/config.json", $0, $1) }

    static let scheduler = [
        ("shift", "0"), ("shift", "-3"), ("shift", "\"large\""), ("num_train_timesteps", "0"),
        ("time_shift_type", "\"cubic\""), ("use_beta_sigmas", "true"),
        ("stochastic_sampling", "true"), ("max_image_seq_len", "256"), ("shift_terminal", "1"),
        ("_class_name", "\"DDIMScheduler\""),
    ].map { Change("scheduler/scheduler_config.json", $0, $1) }

    static let index = [
        ("_class_name", "\"StableDiffusionPipeline\""), ("_class_name", "null"),
        ("_class_name", "5"), ("transformer", "[\"diffusers\", \"UNet2DConditionModel\"]"),
        ("transformer", "null"), ("transformer", "\"x\""), ("vae", "[]"),
        ("scheduler", "[\"diffusers\", \"DDIMScheduler\"]"),
        ("text_encoder", "[\"transformers\", \"CLIPTextModel\"]"),
        ("tokenizer", "[\"transformers\", \"CLIPTokenizer\"]"),
    ].map { Change("model_index.json", $0, $1) }

    @Test(arguments: transformer + textEncoder + autoencoder + scheduler + index)
    func isRefused(_ change: Change) throws {
        let copy = try CheckpointCopy()
        let value = try JSONSerialization.jsonObject(
            with: Data(change.value.utf8), options: .fragmentsAllowed)
        try copy.json(change.file) { $0[change.field] = value }
        let outcome = try Turbine.generate(
            ["--model", copy.path, "--prompt", "cat", "--output", "a.png"],
            folder: copy.folder.path)
        try expectRefusal(outcome, [copy.path, "; "], in: copy.folder, keeping: ["model"])
    }

    /// What a model says of itself in `turbine.json`.
    @Test(arguments: ["{", "[]", "{\"preset\": 5}", "{\"preset\": \"nope\"}"])
    func aModelsOwnSettings(text: String) throws {
        let copy = try CheckpointCopy()
        try Data(text.utf8).write(to: copy.url("turbine.json"))
        let outcome = try Turbine.generate(
            ["--model", copy.path, "--prompt", "cat", "--output", "a.png"],
            folder: copy.folder.path)
        try expectRefusal(outcome, ["; "], in: copy.folder, keeping: ["model"])
    }
}
