// The fields of components' configurations, so that a recipe's misspelled ones are seen.

/// What diffusers 0.42.1 and transformers 5.23.0 write into the configurations of a pipeline's
/// components.
enum ModelConfigurationKeys {
    static let autoencoder: Set = [
        "_class_name", "_diffusers_version", "act_fn", "block_out_channels", "down_block_types",
        "force_upcast", "in_channels", "latent_channels", "latents_mean", "latents_std",
        "layers_per_block", "mid_block_add_attention", "norm_num_groups", "out_channels",
        "sample_size", "scaling_factor", "shift_factor", "up_block_types", "use_post_quant_conv",
        "use_quant_conv",
    ]

    static let textEncoder: Set = [
        "architectures", "attention_bias", "attention_dropout", "bos_token_id", "dtype",
        "eos_token_id", "head_dim", "hidden_act", "hidden_size", "initializer_range",
        "intermediate_size", "layer_types", "max_position_embeddings", "max_window_layers",
        "model_type", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
        "pad_token_id", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
        "sliding_window", "tie_word_embeddings", "torch_dtype", "transformers_version",
        "use_cache", "use_sliding_window", "vocab_size",
    ]

    static let transformer: Set = [
        "_class_name", "_diffusers_version", "all_f_patch_size", "all_patch_size", "axes_dims",
        "axes_lens", "cap_feat_dim", "dim", "in_channels", "n_heads", "n_kv_heads", "n_layers",
        "n_refiner_layers", "norm_eps", "qk_norm", "rope_theta", "siglip_feat_dim", "t_scale",
    ]

    static let scheduler: Set = [
        "_class_name", "_diffusers_version", "base_image_seq_len", "base_shift",
        "invert_sigmas", "max_image_seq_len", "max_shift", "num_train_timesteps", "shift",
        "shift_terminal", "stochastic_sampling", "time_shift_type", "use_beta_sigmas",
        "use_dynamic_shifting", "use_exponential_sigmas", "use_karras_sigmas",
    ]
}
