using System.ComponentModel;
using System.Text.Json;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Catalog.AppSettings;

/// <summary>Flags of the app, and the server's limits that can be changed.</summary>
public sealed record AdminListAppSettingsResponse(IReadOnlyList<AdminAppFlag> Rows, IReadOnlyList<AdminServerLimit> Limits);

/// <summary>A flag of the app.</summary>
public sealed record AdminAppFlag(string Key, JsonElement Value, DateTime UpdatedAt, string? UpdatedBy);

/// <summary>A limit of the server with its bounds; without a value it is as configured.</summary>
public sealed record AdminServerLimit(string Key, long Min, long Max, JsonElement? Value, DateTime? UpdatedAt, string? UpdatedBy);

/// <summary>What is set, all or none.</summary>
public sealed record AdminSaveAppSettingsRequest(
    [property: Description("JSON values by key; null removes one")] IReadOnlyDictionary<string, JsonElement> Settings,
    [property: Description(AdminField.AboutReason)] string Reason
);

/// <summary>How many of them are other than they were.</summary>
public sealed record AdminSavedAppSettingsResponse(bool Success, long Changed);
