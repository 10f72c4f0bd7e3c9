// GenerationRequest.swift to and from the records of protoc-c.

import CTurbineProto

extension GenerationRequest: WireRecord {
    typealias Record = Turbine__V1__GenerationRequest

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__generation_request__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        try text.write(to: c, in: arena)
        if let preset {
            c.pointee.preset = try arena.text(preset, "preset", WireLimits.nameBytes)
            c.pointee.has_preset_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_PRESET_PRESET
        }
        if let negativePrompt {
            c.pointee.negative_prompt = try arena.text(
                negativePrompt, "negative_prompt", WireLimits.promptBytes)
            c.pointee.has_negative_prompt_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_NEGATIVE_PROMPT_NEGATIVE_PROMPT
        }
        if let width {
            c.pointee.width = width
            c.pointee.has_width_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_WIDTH_WIDTH
        }
        if let height {
            c.pointee.height = height
            c.pointee.has_height_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_HEIGHT_HEIGHT
        }
        if let steps {
            c.pointee.steps = steps
            c.pointee.has_steps_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_STEPS_STEPS
        }
        if let guidance {
            c.pointee.guidance = try WireReader.finite(guidance, "guidance")
            c.pointee.has_guidance_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_GUIDANCE_GUIDANCE
        }
        if let cfgNormalization {
            c.pointee.cfg_normalization = try WireReader.finite(
                cfgNormalization, "cfg_normalization")
            c.pointee.has_cfg_normalization_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_CFG_NORMALIZATION_CFG_NORMALIZATION
        }
        if let cfgTruncation {
            c.pointee.cfg_truncation = try WireReader.finite(cfgTruncation, "cfg_truncation")
            c.pointee.has_cfg_truncation_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_CFG_TRUNCATION_CFG_TRUNCATION
        }
        if let seed {
            c.pointee.seed = seed
            c.pointee.has_seed_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_SEED_SEED
        }
        if let imageCount {
            c.pointee.image_count = imageCount
            c.pointee.has_image_count_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_IMAGE_COUNT_IMAGE_COUNT
        }
        c.pointee.pruning = try arena.optional(pruning, "pruning")
        c.pointee.tiling = try arena.optional(tiling, "tiling")
        c.pointee.output = try arena.optional(output, "output")
        if let model {
            c.pointee.model = try arena.text(model, "model", WireLimits.nameBytes)
            c.pointee.has_model_case =
                TURBINE__V1__GENERATION_REQUEST__HAS_MODEL_MODEL
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        text = try PromptText(reading: c)
        preset =
            try c.pointee.has_preset_case.rawValue == 0
            ? nil : WireReader.text(c.pointee.preset, "preset", WireLimits.nameBytes)
        negativePrompt =
            try c.pointee.has_negative_prompt_case.rawValue == 0
            ? nil
            : WireReader.text(c.pointee.negative_prompt, "negative_prompt", WireLimits.promptBytes)
        width =
            c.pointee.has_width_case.rawValue == 0
            ? nil : c.pointee.width
        height =
            c.pointee.has_height_case.rawValue == 0
            ? nil : c.pointee.height
        steps =
            c.pointee.has_steps_case.rawValue == 0
            ? nil : c.pointee.steps
        guidance =
            try c.pointee.has_guidance_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.guidance, "guidance")
        cfgNormalization =
            try c.pointee.has_cfg_normalization_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.cfg_normalization, "cfg_normalization")
        cfgTruncation =
            try c.pointee.has_cfg_truncation_case.rawValue == 0
            ? nil : WireReader.finite(c.pointee.cfg_truncation, "cfg_truncation")
        seed =
            c.pointee.has_seed_case.rawValue == 0
            ? nil : c.pointee.seed
        imageCount =
            c.pointee.has_image_count_case.rawValue == 0
            ? nil : c.pointee.image_count
        pruning = try WireReader.optional(c.pointee.pruning, "pruning")
        tiling = try WireReader.optional(c.pointee.tiling, "tiling")
        output = try WireReader.optional(c.pointee.output, "output")
        model =
            try c.pointee.has_model_case.rawValue == 0
            ? nil : WireReader.text(c.pointee.model, "model", WireLimits.nameBytes)
    }
}

extension TemplatePrompt: WireRecord {
    typealias Record = Turbine__V1__TemplatePrompt

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__template_prompt__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.name = try arena.text(name, "name", WireLimits.nameBytes)
        (c.pointee.slots, c.pointee.n_slots) = try arena.list(
            slots, "slots", maximum: WireLimits.slots)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        name = try WireReader.text(c.pointee.name, "name", WireLimits.nameBytes)
        slots = try WireReader.list(
            c.pointee.slots, c.pointee.n_slots, "slots",
            maximum: WireLimits.slots)
    }
}

extension SlotValue: WireRecord {
    typealias Record = Turbine__V1__SlotValue

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__slot_value__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.slot = try arena.text(slot, "slot", WireLimits.nameBytes)
        c.pointee.value = try arena.text(value, "value", WireLimits.slotValueBytes)
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        slot = try WireReader.text(c.pointee.slot, "slot", WireLimits.nameBytes)
        value = try WireReader.text(c.pointee.value, "value", WireLimits.slotValueBytes)
    }
}

extension PruningOptions: WireRecord {
    typealias Record = Turbine__V1__Pruning

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__pruning__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        if let enabled {
            c.pointee.enabled = enabled ? 1 : 0
            c.pointee.has_enabled_case =
                TURBINE__V1__PRUNING__HAS_ENABLED_ENABLED
        }
        try criterion?.write(to: c)
        if let rejudgeIntervalSteps {
            c.pointee.rejudge_interval_steps = rejudgeIntervalSteps
            c.pointee.has_rejudge_interval_steps_case =
                TURBINE__V1__PRUNING__HAS_REJUDGE_INTERVAL_STEPS_REJUDGE_INTERVAL_STEPS
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        enabled =
            c.pointee.has_enabled_case.rawValue == 0
            ? nil : c.pointee.enabled != 0
        criterion = try PruningCriterion(reading: c)
        rejudgeIntervalSteps =
            c.pointee.has_rejudge_interval_steps_case.rawValue == 0
            ? nil : c.pointee.rejudge_interval_steps
    }
}

extension TilingOptions: WireRecord {
    typealias Record = Turbine__V1__Tiling

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__tiling__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.mode = .init(rawValue: mode.rawValue)
        if let tileCells {
            c.pointee.tile_cells = tileCells
            c.pointee.has_tile_cells_case =
                TURBINE__V1__TILING__HAS_TILE_CELLS_TILE_CELLS
        }
        if let overlapCells {
            c.pointee.overlap_cells = overlapCells
            c.pointee.has_overlap_cells_case =
                TURBINE__V1__TILING__HAS_OVERLAP_CELLS_OVERLAP_CELLS
        }
        c.pointee.blend = .init(rawValue: blend.rawValue)
        if let memoryBudgetBytes {
            c.pointee.memory_budget_bytes = memoryBudgetBytes
            c.pointee.has_memory_budget_bytes_case =
                TURBINE__V1__TILING__HAS_MEMORY_BUDGET_BYTES_MEMORY_BUDGET_BYTES
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        mode = try WireReader.known(c.pointee.mode.rawValue, "mode")
        tileCells =
            c.pointee.has_tile_cells_case.rawValue == 0
            ? nil : c.pointee.tile_cells
        overlapCells =
            c.pointee.has_overlap_cells_case.rawValue == 0
            ? nil : c.pointee.overlap_cells
        blend = try WireReader.known(c.pointee.blend.rawValue, "blend")
        memoryBudgetBytes =
            c.pointee.has_memory_budget_bytes_case.rawValue == 0
            ? nil : c.pointee.memory_budget_bytes
    }
}

extension OutputOptions: WireRecord {
    typealias Record = Turbine__V1__ImageOutput

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__image_output__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        if let metadata {
            c.pointee.metadata = metadata ? 1 : 0
            c.pointee.has_metadata_case =
                TURBINE__V1__IMAGE_OUTPUT__HAS_METADATA_METADATA
        }
        if let pngCompression {
            c.pointee.png_compression = pngCompression
            c.pointee.has_png_compression_case =
                TURBINE__V1__IMAGE_OUTPUT__HAS_PNG_COMPRESSION_PNG_COMPRESSION
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        metadata =
            c.pointee.has_metadata_case.rawValue == 0
            ? nil : c.pointee.metadata != 0
        pngCompression =
            c.pointee.has_png_compression_case.rawValue == 0
            ? nil : c.pointee.png_compression
    }
}

extension PreviewWish: WireRecord {
    typealias Record = Turbine__V1__PreviewWish

    static func prepare(_ c: UnsafeMutablePointer<Record>) {
        turbine__v1__preview_wish__init(c)
    }

    func write(
        to c: UnsafeMutablePointer<Record>, in arena: WireArena
    ) throws(WireError) {
        c.pointee.every_steps = everySteps
        if let maximumSide {
            c.pointee.maximum_side = maximumSide
            c.pointee.has_maximum_side_case =
                TURBINE__V1__PREVIEW_WISH__HAS_MAXIMUM_SIDE_MAXIMUM_SIDE
        }
    }

    init(reading c: UnsafePointer<Record>) throws(WireError) {
        everySteps = c.pointee.every_steps
        maximumSide =
            c.pointee.has_maximum_side_case.rawValue == 0
            ? nil : c.pointee.maximum_side
    }
}
