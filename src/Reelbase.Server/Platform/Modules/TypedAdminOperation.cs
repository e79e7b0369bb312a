using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Platform.Modules;

/// <summary>
/// The records of an operation: they are its part of the API document, and what console pages send and show. SQL alone decides what is
/// right, so the API passes requests and answers on as they are.
/// </summary>
public sealed record AdminOperation<TRequest, TResponse> : AdminOperation
    where TRequest : class
    where TResponse : class
{
    // A member that is absent is not the same as one that is null: SQL refuses a refund for a job that is null.
    private static readonly JsonSerializerOptions Requests = new(Json.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    // It travels as members that are null, and is none itself.
    private static readonly string Cleared = Json.Options.PropertyNamingPolicy!.ConvertName(nameof(AdminEdit.Cleared));

    /// <summary>Describes it by an example of each; what a request has to carry are the parameters of its record that have no default.</summary>
    public AdminOperation(string name, string function, string summary, TRequest request, TResponse answer)
        : base(name, function, summary, FieldsOf(request))
    {
        Example = answer;
    }

    /// <inheritdoc/>
    public override Type Request => typeof(TRequest);

    /// <inheritdoc/>
    public override Type Response => typeof(TResponse);

    /// <inheritdoc/>
    public override object Example { get; }

    /// <summary>A request as SQL takes it.</summary>
    public JsonObject ToRequest(TRequest request) => Write(request);

    /// <summary>What SQL answered.</summary>
    public TResponse FromAnswer(JsonNode answer) => answer.Deserialize<TResponse>(Json.Options)!;

    private static JsonObject Write(TRequest request)
    {
        var written = JsonSerializer.SerializeToNode(request, Requests)!.AsObject();
        foreach (var name in (request as AdminEdit)?.Cleared ?? [])
        {
            written[name] = null;
        }
        return written;
    }

    private static AdminField[] FieldsOf(TRequest request)
    {
        var example = Write(request);
        return
        [
            .. from property in Requests.GetTypeInfo(typeof(TRequest)).Properties
            where !typeof(TRequest).IsSubclassOf(typeof(AdminEdit)) || property.Name != Cleared
            select new AdminField(
                property.Name,
                (object?)example[property.Name] ?? "",
                DescriptionOf(property),
                property.AssociatedParameter is { HasDefaultValue: false }
            ),
        ];
    }

    private static string DescriptionOf(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(DescriptionAttribute), false).OfType<DescriptionAttribute>().FirstOrDefault()?.Description ?? "";
}

/// <summary>A request that says nothing.</summary>
public sealed record AdminEmptyRequest;
