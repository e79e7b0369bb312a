using System.Text.Json;

namespace Reelbase.Server.Platform.Errors;

/// <summary>Every error that Reelbase answers: its code, its HTTP status and its words in each language.</summary>
public sealed record ErrorEntry(string Code, int Status, string Meaning, string En, string Tr, string Es)
{
    /// <summary>The message with the numbers of its details, for when they are known.</summary>
    public Translation? WithNumbers { get; init; }

    /// <summary>It says something about a person that is for them alone: <c>error_log</c> has neither whose it was nor its details.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>What the client may do next.</summary>
    public required string Next { get; init; }

    /// <summary>The message in a language; English when it is not one of ours.</summary>
    public string Message(string language, JsonElement? details = null)
    {
        var known = language is "tr" or "es" ? language : "en";
        return (WithNumbers is { } numbers ? PluralFormatter.Fill(numbers.In(known), known, details) : null) ?? new Translation(En, Tr, Es).In(known);
    }
}

/// <summary>One text in each language.</summary>
public sealed record Translation(string En, string Tr, string Es)
{
    /// <summary>The text in a language.</summary>
    public string In(string language) =>
        language switch
        {
            "tr" => Tr,
            "es" => Es,
            _ => En,
        };
}

/// <summary>The catalogue: one list, read by every endpoint and every job failure.</summary>
public static class ErrorCatalog
{
    /// <summary>The languages that messages exist in; the first is the default.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["en", "tr", "es"];

    /// <summary>All entries, in the order of their codes.</summary>
    public static IReadOnlyList<ErrorEntry> All { get; } =
    [
        new(
            ErrorCodes.MalformedRequest,
            400,
            "malformed request",
            "The request could not be understood.",
            "İstek anlaşılamadı.",
            "No se pudo entender la solicitud."
        )
        {
            Next = "Repair the request; repeating it as it is cannot succeed.",
        },
        new(
            ErrorCodes.InsufficientCredits,
            402,
            "insufficient credits",
            "You do not have enough credits for this video.",
            "Bu video için yeterli krediniz yok.",
            "No tienes créditos suficientes para este video."
        )
        {
            Next = "Offer credits, then send the request again with the same key.",
            WithNumbers = new(
                "This video costs {required:credits} and you have {available:credits}.",
                "Bu video {required:credits} tutuyor, sizde {available:credits} var.",
                "Este video cuesta {required:credits} y tienes {available:credits}."
            ),
        },
        new(
            ErrorCodes.ModelNotFound,
            404,
            "model not found or not available",
            "This model is not available. Please choose another one.",
            "Bu model kullanılamıyor. Lütfen başka bir model seçin.",
            "Este modelo no está disponible. Elige otro."
        )
        {
            Next = "Load `get-models` again and let the user choose.",
        },
        new(
            ErrorCodes.InvalidSettings,
            400,
            "invalid prompt or settings",
            "The prompt or a setting is not valid.",
            "İstem veya bir ayar geçerli değil.",
            "El texto o un ajuste no es válido."
        )
        {
            Next = "Show the field that `details.field` names.",
        },
        new(
            ErrorCodes.RateLimited,
            429,
            "rate limit exceeded",
            "Too many requests. Please try again a little later.",
            "Çok fazla istek gönderildi. Lütfen biraz sonra tekrar deneyin.",
            "Demasiadas solicitudes. Inténtalo de nuevo un poco más tarde."
        )
        {
            Next = "Wait `Retry-After` seconds, then send the request again with the same key.",
            WithNumbers = new(
                "Too many requests. Please try again in {retry_after_seconds:duration}.",
                "Çok fazla istek gönderildi. Lütfen {retry_after_seconds:duration} sonra tekrar deneyin.",
                "Demasiadas solicitudes. Inténtalo de nuevo en {retry_after_seconds:duration}."
            ),
        },
        new(ErrorCodes.Unauthorized, 401, "unauthorized", "Please sign in again.", "Lütfen tekrar oturum açın.", "Inicia sesión de nuevo.")
        {
            Next = "Refresh the session once; if that fails, call `device-check` or let the user sign in.",
        },
        new(
            ErrorCodes.Forbidden,
            403,
            "forbidden or banned",
            "You are not allowed to do this.",
            "Bunu yapmanıza izin verilmiyor.",
            "No tienes permiso para hacer esto."
        )
        {
            Next = "Do not repeat it; when `details.reason` is `banned`, show how to reach support.",
        },
        new(ErrorCodes.NotFound, 404, "not found", "This was not found.", "Bu bulunamadı.", "No se encontró.")
        {
            Next = "Drop what was not found from the list.",
        },
        new(
            ErrorCodes.IdempotencyKeyMissing,
            400,
            "idempotency key missing or malformed",
            "The request needs an Idempotency-Key header with a UUID.",
            "İstek, UUID içeren bir Idempotency-Key başlığı gerektirir.",
            "La solicitud necesita una cabecera Idempotency-Key con un UUID."
        )
        {
            Next = "Send a new UUID in `Idempotency-Key`.",
        },
        new(
            ErrorCodes.IdempotencyKeyReused,
            422,
            "idempotency key reused with another request",
            "This key was already used for a different request.",
            "Bu anahtar başka bir istek için kullanılmış.",
            "Esta clave ya se usó para otra solicitud."
        )
        {
            Next = "Use a new key for a new request.",
        },
        new(
            ErrorCodes.InvalidDevice,
            403,
            "invalid device",
            "This device could not be verified.",
            "Bu cihaz doğrulanamadı.",
            "No se pudo verificar este dispositivo."
        )
        {
            Next = "Do not repeat it before the user has reached support.",
        },
        new(
            ErrorCodes.InvalidTransaction,
            400,
            "invalid transaction or unknown product",
            "This purchase could not be verified.",
            "Bu satın alma doğrulanamadı.",
            "No se pudo verificar esta compra."
        )
        {
            Next = "Keep the transaction unfinished and offer to restore purchases.",
        },
        new(
            ErrorCodes.Conflict,
            409,
            "conflict",
            "This conflicts with what has already happened.",
            "Bu, daha önce yapılan bir işlemle çakışıyor.",
            "Esto entra en conflicto con algo que ya ocurrió."
        )
        {
            Next = "Load the present state; the request is out of date.",
        },
        new(
            ErrorCodes.ConsentNeeded,
            403,
            "consent needed before sending to AI providers",
            "Your consent is needed before your prompt and picture are sent to AI providers.",
            "İsteminiz ve resminiz yapay zekâ sağlayıcılarına gönderilmeden önce onayınız gerekir.",
            "Se necesita tu consentimiento antes de enviar tu texto y tu imagen a proveedores de IA."
        )
        {
            Next =
                "Show the text of `get-consent-terms`, send `record-consent` with `details.version` when the user agrees, then the request again with the same key.",
        },
        new(
            ErrorCodes.NotAtThisAge,
            403,
            "not available at the declared age",
            "Videos are not available at the age that was declared for this account.",
            "Bu hesap için beyan edilen yaşta video oluşturulamıyor.",
            "Los videos no están disponibles para la edad declarada en esta cuenta."
        )
        {
            Next =
                "When `details.policy` is `guardian`, let a guardian agree in a screen of your own, send `record-consent` with the kind `guardian`, then the request again with the same key; when it is `block`, say so and offer no retry.",
            IsPrivate = true,
        },
        new(
            ErrorCodes.ProviderTimeout,
            504,
            "provider timeout",
            "The video took too long and was stopped. Your credits were returned.",
            "Video çok uzun sürdü ve durduruldu. Kredileriniz iade edildi.",
            "El video tardó demasiado y se detuvo. Tus créditos fueron devueltos."
        )
        {
            Next = "Offer to try again; the credits are back.",
        },
        new(
            ErrorCodes.ProviderUnavailable,
            502,
            "provider unavailable",
            "The video could not be made right now. Your credits were returned.",
            "Video şu anda oluşturulamadı. Kredileriniz iade edildi.",
            "El video no se pudo crear en este momento. Tus créditos fueron devueltos."
        )
        {
            Next = "Offer to try again later, or another model; the credits are back.",
        },
        new(
            ErrorCodes.ContentRejected,
            422,
            "the provider rejected the content",
            "This content is not allowed. Please change the prompt or the picture. It has cost you no credits.",
            "Bu içeriğe izin verilmiyor. Lütfen istemi veya resmi değiştirin. Sizden kredi alınmadı.",
            "Este contenido no está permitido. Cambia el texto o la imagen. No te ha costado créditos."
        )
        {
            Next = "Let the user change the prompt or the picture.",
        },
        new(
            ErrorCodes.InputRefused,
            422,
            "the provider refused the input",
            "The picture or a setting was refused. Please choose another one. Your credits were returned.",
            "Resim veya bir ayar reddedildi. Lütfen başka bir tane seçin. Kredileriniz iade edildi.",
            "La imagen o un ajuste fue rechazado. Elige otro. Tus créditos fueron devueltos."
        )
        {
            Next = "Let the user choose another picture or setting.",
        },
        new(
            ErrorCodes.DatabaseUnavailable,
            503,
            "database unavailable",
            "The service is briefly unavailable. Please try again.",
            "Hizmet kısa süreliğine kullanılamıyor. Lütfen tekrar deneyin.",
            "El servicio no está disponible por un momento. Inténtalo de nuevo."
        )
        {
            Next = "Repeat it with the same key after a few seconds, each time later.",
        },
        new(
            ErrorCodes.StorageUnavailable,
            503,
            "storage unavailable",
            "Files are briefly unavailable. Please try again.",
            "Dosyalara kısa süreliğine ulaşılamıyor. Lütfen tekrar deneyin.",
            "Los archivos no están disponibles por un momento. Inténtalo de nuevo."
        )
        {
            Next = "Repeat it after a few seconds, each time later.",
        },
        new(
            ErrorCodes.InternalError,
            500,
            "internal error",
            "Something went wrong on our side.",
            "Bizim tarafımızda bir sorun oluştu.",
            "Algo salió mal de nuestro lado."
        )
        {
            Next = "Show `trace_id`: support finds by it what happened.",
        },
    ];

    private static readonly Dictionary<string, ErrorEntry> ByCode = All.ToDictionary(entry => entry.Code, StringComparer.Ordinal);

    /// <summary>The entry of a code. An unknown code is a mistake of ours and answers as such.</summary>
    public static ErrorEntry Find(string code) => ByCode.GetValueOrDefault(code) ?? ByCode[ErrorCodes.InternalError];
}
