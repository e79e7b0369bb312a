using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>Before an admin's code reaches the database, its hash takes its place: neither a row, nor a stored answer, nor the audit ever holds it.</summary>
public sealed class PromoCodePreparation(Keys keys, IOptions<AdminOptions> admin) : IOperationPreparation
{
    /// <inheritdoc/>
    public string Operation => "admin-create-promo-code";

    /// <inheritdoc/>
    public Task PrepareAsync(Caller caller, JsonObject request, CancellationToken cancellationToken)
    {
        var text = request["code"] is { } value && value.GetValueKind() == JsonValueKind.String ? ((string)value!).Trim() : null;
        var code =
            text is { Length: > 0 and <= PromoCode.MaxTextLength } ? PromoCode.Normalize(text)
            : text is null ? throw ApiException.Field(ErrorCodes.MalformedRequest, "code", "required")
            : null;
        if (code is not { Length: >= PromoCode.MinLength })
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, "code", $"{PromoCode.MinLength}_to_{PromoCode.MaxLength}_letters_or_digits");
        }
        request.Remove("code");
        request["code_hash"] = Convert.ToHexStringLower(PromoCode.Hash(keys, code));
        request["hint"] = PromoCode.Hint(code);
        // One redemption gives no more than one admin may give without another's approval: a code is no way around it.
        request["credit_limit"] = admin.Value.ApprovalAbove < 0 ? admin.Value.MaxCredits : Math.Min(admin.Value.MaxCredits, admin.Value.ApprovalAbove);
        return Task.CompletedTask;
    }
}
