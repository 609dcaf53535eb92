//! Words that deny an OTP service whatever else its name says.

use super::super::OtpClass::{
    AnyOther, Children, Dating, EmergencySafety, Health, MailMaster, Marketplaces, Money,
    StateIdentity, TelecomControl,
};
use super::super::keywords::Place::{Anywhere, Edge, Whole, Word};
use super::super::{OtpClass, keywords::Place};

type Rule = (OtpClass, Place, &'static str);

/// Words of the classes that no setting makes sellable.
pub(super) const HARD: &[Rule] = &[
    (
        Health,
        Anywhere,
        "health hospital clinic clinique klinik pharma pharmacy farmacia apotheke apteka \
         medicare medicaid medical doctor patient prescription vaccin insurance insurer \
         assurance versicherung seguros krankenkasse dentist dental diagnost therapy аптека \
         больниц клиник страхов поликлиник медицин",
    ),
    (Health, Word, "nhs clinics seguro mutuelle medic medico"),
    (
        Money,
        Anywhere,
        "bank banco banque bancorp bancolombia wallet credit kredit credito crédit debit money \
         finan fintech crypto bitcoin ethereum payment payout payroll paylater lender lending \
         broker trading forex remittance mortgage mastercard currency sparkasse raiffeisen \
         sacombank caixa stockmarket installment microloan cashback банк кошелек кошелёк кредит \
         деньги платеж платёж крипто инвест биржа микрозайм финанс",
    ),
    (
        Money,
        Edge,
        "pay cash coin loan invest remit bank banca pago pagos zaim dinero",
    ),
    (
        StateIdentity,
        Anywhere,
        "government ministry ministerio minister embassy consulate passport police polizei \
         policia citizen immigration municipal socialsecurity election voting voter tribunal \
         customsoffice identitycheck identityproof idverif verifyidentity taxes taxoffice \
         taxportal taxservice taxauthority taxreturn taxation taxact turbotax revenueservice \
         finanzamt pension gosuslugi driverlicense drivinglicence military unemployment \
         госуслуг налогов полиц паспорт министер правитель пенсион",
    ),
    (StateIdentity, Edge, "gov gouv"),
    (
        StateIdentity,
        Word,
        "gob govt tax mytax etax identity eid kyc court courts customs vote benefits benefit \
         parliament visas nationalid idcard irs ssa dmv hmrc welfare налог",
    ),
    (
        TelecomControl,
        Anywhere,
        "telecom telekom simcard simswap simregist portout numberporting mobileoperator \
         mobilecarrier virtualnumber secondnumber secondline phonenumber smsgateway smsverif \
         smsactivat voipnumber оператор симкарт",
    ),
    (TelecomControl, Word, "esim carrier telco cpaas msisdn"),
    (
        Money,
        Word,
        "visa amex iban upi bnpl defi exchange stocks savings lend pays atm debt securities \
         treasury card займ",
    ),
    (
        Children,
        Anywhere,
        "children childcare childsafe kinder kindergarten preschool highschool elementaryschool \
         primaryschool schoolkid teenager toddler forkids kidsclub parental школьник детск",
    ),
    (
        Children,
        Word,
        "kid kids child teen teens tween tweens minors junior juniors nursery",
    ),
    (Children, Edge, "kids"),
    (
        EmergencySafety,
        Anywhere,
        "emergency crisis suicide hotline helpline alarm ambulance safety firedepartment \
         poisoncontrol familylocat phonelocat findmykid amberalert domesticviolence",
    ),
    (EmergencySafety, Word, "sos rescue"),
];

/// Words of the classes that are denied unless the operator lifts them.
pub(super) const SOFT: &[Rule] = &[
    (
        AnyOther,
        Anywhere,
        "anyother otherservice notlisted unlisted fullrent anyservice allservices anyapp \
         любойдругой другойсервис",
    ),
    (
        AnyOther,
        Whole,
        "other others any full all rent rental inbox unknown unlimited random universal generic \
         anything misc miscellaneous общий другой другое любой",
    ),
    (
        MailMaster,
        Anywhere,
        "email password authenticator singlesignon cloudconsole mailbox webmail почта",
    ),
    (MailMaster, Edge, "mail"),
    (MailMaster, Word, "sso idp"),
    (
        Marketplaces,
        Anywhere,
        "market mercado delivery courier classified auction hotel hostel booking apartment \
         rental taxi carshar rideshar carpool grocer доставк объявлен такси маркет",
    ),
    (Marketplaces, Word, "ride rides ads food foods"),
    (
        Dating,
        Anywhere,
        "dating hookup flirt matchmak singles знакомств",
    ),
    (Dating, Word, "date dates"),
];

#[cfg(test)]
mod tests {
    use super::super::super::keywords::too_short;
    use super::{HARD, SOFT};

    #[test]
    fn no_keyword_is_too_short_for_its_place() {
        assert_eq!(too_short(HARD), Vec::<&str>::new());
        assert_eq!(too_short(SOFT), Vec::<&str>::new());
    }
}
