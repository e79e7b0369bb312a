using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Tests.Support;

/// <summary>
/// Holds what an admin operation took and answered against the records that describe it: SQL makes the answers, and a member too many, one too few, or a null
/// where the record has none fails here.
/// </summary>
public static class AdminRecords
{
    private static readonly JsonSerializerOptions Strict = new(Json.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static readonly Dictionary<string, AdminOperation> ByName = AdminSystem.Operations.ToDictionary(operation => operation.Name);

    /// <summary>Checks a call that was accepted.</summary>
    /// <param name="path">Where it went.</param>
    /// <param name="body">What it carried; null for a read by address.</param>
    /// <param name="answer">What came back.</param>
    public static void Check(string path, object? body, ApiResponse answer)
    {
        if (
            answer.Status is not (HttpStatusCode.OK or HttpStatusCode.Accepted)
            || ByName.GetValueOrDefault(path.Split('?')[0].Split('/')[^1]) is not { } operation
        )
        {
            return;
        }
        Read(operation, answer.Text, answer.Status == HttpStatusCode.Accepted ? typeof(AdminPendingResponse) : operation.Response);
        if (body is not null)
        {
            Read(operation, JsonSerializer.Serialize(body, body.GetType(), Json.Options), operation.Request);
        }
    }

    private static void Read(AdminOperation operation, string text, Type record)
    {
        var wrong = Record.Exception(() => Assert.NotNull(JsonSerializer.Deserialize(text, record, Strict)));
        Assert.True(wrong is null, $"{operation.Name}: {record.Name} does not describe {text}: {wrong?.Message}");
    }
}
